package import OMJSON

/// Which wells and acquisitions of a plate are wanted: `--wells B/03,C/*` and `--acquisition 1`.
package struct WellFilter: Sendable, Equatable {
  private let patterns: [[String]]
  private let acquisition: Int?

  /// Makes a filter.
  ///
  /// - Parameters:
  ///   - wells: Patterns of row and column; `*` stands for any number of letters. None: all wells.
  ///   - acquisition: The acquisition; nil for all.
  /// - Throws: `usage` for a pattern that is not row/column.
  package init(wells: [String] = [], acquisition: Int? = nil) throws(Fault) {
    patterns = try wells.map { (text) throws(Fault) in
      let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
      if parts.count != 2 || parts.contains("") {
        throw Fault(
          .usage, "", "`--wells` is `\(text)`, expected a row and a column as in `B/03` or `C/*`")
      }
      return parts
    }
    self.acquisition = acquisition
  }

  /// Whether a well is wanted.
  func includes(_ well: Plate.WellEntry) -> Bool {
    patterns.isEmpty
      || patterns.contains {
        matches($0[0][...], well.row[...]) && matches($0[1][...], well.column[...])
      }
  }

  /// Whether an image of a wanted well is wanted.
  func includes(_ image: Well.ImageEntry) -> Bool {
    acquisition == nil || image.acquisition == acquisition
  }

  /// Whether an image of a collection is wanted, which may lie in no well.
  func includes(_ field: ImageLocation.Field?) -> Bool {
    let (row, column) = (field?.row ?? "", field?.column ?? "")
    return includes(Plate.WellEntry(path: "", row: row, column: column))
      && (acquisition == nil || field?.acquisition == acquisition)
  }

  /// The patterns as they were given, for messages.
  var shown: String {
    let wells = patterns.map { $0.joined(separator: "/") }.joined(separator: ",")
    return [
      patterns.isEmpty ? nil : "`--wells \(wells)`", acquisition.map { "`--acquisition \($0)`" },
    ].compactMap(\.self).joined(separator: " and ")
  }

  /// Whether a name fits a pattern; `*` stands for any number of letters.
  private func matches(_ pattern: Substring, _ name: Substring) -> Bool {
    guard let wanted = pattern.first else { return name.isEmpty }
    if wanted == "*" {
      return matches(pattern.dropFirst(), name)
        || (!name.isEmpty && matches(pattern, name.dropFirst()))
    }
    return name.first == wanted && matches(pattern.dropFirst(), name.dropFirst())
  }
}
