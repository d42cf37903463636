package import OMGrid
package import OMImage
package import OMJSON
import OMStore
import OMTask
import OMZarr

/// A ROI table of an image: boxes in physical units, as ngio and Fractal write them.
package struct RegionTable: Sendable {
  /// One side of a box along an axis.
  package struct Span: Sendable, Equatable {
    /// Where it begins.
    package let start: Double
    /// How long it is.
    package let length: Double
  }

  /// The name of the table.
  package let name: String
  /// The spans of each box by the letter of the axis: x, y, z and, in tables with time, t.
  package let rows: [[String: Span]]

  /// Reads a table of an image.
  ///
  /// - Throws: `usage` when the image lists no such table, `metadata` when it is no ROI table, and what
  ///   reading its back end throws.
  package static func read(_ name: String, of image: OMEImage) throws(Fault) -> RegionTable {
    let location = image.location
    do throws(Fault) {
      let path = joinedKey(location.path, "tables")
      let listed =
        try ZarrGroup.open(location.store, path: path)?
        .attributes["tables"]?.arrayValue?.compactMap(\.stringValue) ?? []
      guard listed.contains(name) else {
        throw Fault(
          .usage, "",
          listed.isEmpty
            ? "the image has no table `\(name)`, and no other"
            : "the image has no table `\(name)`, it has \(listed.joined(separator: ", "))")
      }
      let key = joinedKey(path, try checkedKey(name, subject: path))
      guard let table = try TableReader(location).read(name) else {
        throw Fault(.missing, key, "there is no Zarr group")
      }
      return try RegionTable(table, name, subject: key)
    } catch {
      // The reader names whole paths already.
      let isWhole = error.subject.isEmpty || error.subject.hasPrefix(location.store.description)
      throw isWhole ? error : location.naming(error)
    }
  }

  init(_ table: Table, _ name: String, subject: String) throws(Fault) {
    self.name = name
    var spans: [String: [Span]] = [:]
    for axis in ["x", "y", "z"] {
      spans[axis] = try Self.spans("\(axis)_micrometer", table, subject)
    }
    if table.columns.contains(where: { ["t_second", "len_t_second"].contains($0.name) }) {
      spans["t"] = try Self.spans("t_second", table, subject)
    }
    rows = (spans["x"] ?? []).indices.map { row in spans.mapValues { $0[row] } }
  }

  private static func spans(
    _ column: String, _ table: Table, _ subject: String
  ) throws(Fault) -> [Span] {
    let starts = try numbers(column, table, subject)
    let lengths = try numbers("len_\(column)", table, subject)
    if starts.count != lengths.count {
      throw Fault(
        .metadata, subject,
        "`\(column)` has \(starts.count) rows, `len_\(column)` has \(lengths.count)")
    }
    if let row = lengths.firstIndex(where: { $0 < 0 }) {
      throw Fault(
        .metadata, subject, "`len_\(column)` is \(lengths[row]) in row \(row), expected 0 or more")
    }
    return zip(starts, lengths).map { Span(start: $0, length: $1) }
  }

  private static func numbers(
    _ column: String, _ table: Table, _ subject: String
  ) throws(Fault) -> [Double] {
    guard let values = table.columns.first(where: { $0.name == column })?.values else {
      let known = table.columns.map(\.name).joined(separator: ", ")
      throw Fault(
        .metadata, subject, "the table has no column `\(column)`, it has \(known)",
        hint: "`--roi-table` takes tables of boxes (`roi_table`, `masking_roi_table`)")
    }
    let numbers: [Double]
    switch values {
    case .float64(let values): numbers = values
    case .int64(let values): numbers = values.map { Double($0) }
    case .uint64(let values): numbers = values.map { Double($0) }
    // A table without rows says nothing of its types.
    case .string(let texts) where texts.isEmpty: numbers = []
    case .string, .bool:
      throw Fault(.metadata, subject, "`\(column)` holds no numbers")
    }
    if let row = numbers.firstIndex(where: { !$0.isFinite }) {
      throw Fault(.metadata, subject, "`\(column)` is \(numbers[row]) in row \(row)")
    }
    return numbers
  }
}

extension RegionTable {
  /// Closer to a whole number of voxels than this, a place is taken to be that number, as in ngio.
  private static let tolerance = 1e-2

  /// The boxes in voxels of a level, cut to it; those without a voxel are left out.
  ///
  /// Rounded as ngio does: start and length are divided by the size of a voxel and taken to the nearest
  /// whole number when that is closer than 0.01; then the start goes down and the end goes up. Axes that
  /// the table does not know, such as channels, are taken whole.
  ///
  /// - Parameters:
  ///   - shape: The shape of the level.
  ///   - letters: The letters of its axes.
  ///   - scales: The size of a voxel along each axis.
  /// - Returns: The boxes, none of them empty.
  package func boxes(shape: [Int], letters: [String], scales: [Double]) -> [Region] {
    rows.compactMap { row in
      var box = Region(wholeOf: shape)
      for (axis, letter) in letters.enumerated() {
        guard let span = row[letter] else { continue }
        let start = Self.voxels(span.start, scales[axis])
        let end = start + Self.voxels(span.length, scales[axis])
        let low = Self.clamped(start.rounded(.down), shape[axis])
        let high = Self.clamped(end.rounded(.up), shape[axis])
        if high <= low { return nil }
        (box.origin[axis], box.shape[axis]) = (low, high - low)
      }
      return box
    }
  }

  private static func voxels(_ value: Double, _ scale: Double) -> Double {
    let voxels = value / abs(scale)
    let whole = voxels.rounded(.toNearestOrEven)
    return abs(whole - voxels) < tolerance ? whole : voxels
  }

  private static func clamped(_ place: Double, _ size: Int) -> Int {
    Int(max(0, min(place, Double(size))))
  }
}
