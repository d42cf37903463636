/// A version of OME-Zarr as rules know it; development versions count to the one they lead to.
package enum FormatVersion: String, Sendable, CaseIterable {
  case v0_1 = "0.1"
  case v0_2 = "0.2"
  case v0_3 = "0.3"
  case v0_4 = "0.4"
  case v0_5 = "0.5"
  case v0_6 = "0.6"
  /// The development line that follows 0.6, before collections: `0.9.dev1` and `0.9.dev2`.
  case v0_9 = "0.9"
  /// The nodes of RFC-8.
  case collection = "RFC-8"

  /// The Zarr format that holds it.
  package var zarrFormat: Int { self <= .v0_4 ? 2 : 3 }

  /// Whether axes stand in coordinate systems.
  var hasSystems: Bool { self >= .v0_6 }
}

extension FormatVersion: Comparable {
  /// Whether the left version is the older one.
  package static func < (left: FormatVersion, right: FormatVersion) -> Bool {
    left.place < right.place
  }

  private var place: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// A version as a document writes it.
struct WrittenVersion {
  /// The text.
  let text: String
  /// The version it means; nil for one that nobody knows.
  let version: FormatVersion?
  /// Whether it is a draft that a release has replaced.
  let isDraft: Bool

  init(_ text: String) {
    self.text = text
    let drafts = [("0.5-dev", FormatVersion.v0_5), ("0.6.dev", .v0_6), ("0.6dev", .v0_6)]
    switch text {
    case "0.1", "0.2", "0.3", "0.4", "0.5", "0.6": version = FormatVersion(rawValue: text)
    case "0.6rc0": version = .v0_6
    case "0.9.dev1", "0.9.dev2": version = .v0_9
    case "0.9.dev3", "0.8": version = .collection
    default: version = drafts.first { text.hasPrefix($0.0) }?.1
    }
    isDraft = version != nil && (text == "0.8" || drafts.contains { text.hasPrefix($0.0) })
  }
}
