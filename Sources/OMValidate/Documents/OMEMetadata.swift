import OMJSON

/// Where the metadata of OME-Zarr lie in a document, and which version they follow.
struct OMEMetadata: Sendable {
  /// The object that holds `multiscales`, `plate` and their like.
  let keys: Spot
  /// 2 or 3; nil for a part of a document.
  let zarrFormat: Int?
  /// The version of the rules that count.
  private(set) var version: FormatVersion
  /// Where the version is written; nil when it is not.
  let versionSpot: Spot?
  /// Whether they are a node of RFC-8.
  let isCollection: Bool
  /// Whether they lie beside `ome` instead of in it.
  let isMisplaced: Bool

  /// The keys by which OME-Zarr is recognised.
  static let known = [
    "multiscales", "plate", "well", "image-label", "labels", "omero", "bioformats2raw.layout",
    "series", "scene",
  ]

  /// Whether they are the list of labels and nothing else.
  var isLabelsList: Bool { keys["labels"] != nil && keys["multiscales"] == nil }

  /// Whether they hold anything of OME-Zarr.
  var holdsAnything: Bool { isCollection || Self.known.contains { keys[$0] != nil } }

  /// The version as it is written, for comparing documents.
  var writtenVersion: String? { versionSpot?.value.stringValue }

  /// Finds the metadata in attributes.
  ///
  /// - Parameters:
  ///   - attributes: The attributes of a group.
  ///   - zarrFormat: The format of the group; with 2, `ome` counts too, since somebody may have
  ///     stored 0.5 that way.
  init(_ attributes: Spot, zarrFormat: Int) {
    if let ome = attributes["ome"], zarrFormat == 3 || !Self.hasFlatKeys(attributes) {
      self.init(keys: ome, zarrFormat: zarrFormat, isMisplaced: false, isNested: true)
    } else {
      self.init(
        keys: attributes, zarrFormat: zarrFormat,
        isMisplaced: zarrFormat == 3 && Self.hasFlatKeys(attributes), isNested: false)
    }
  }

  private static func hasFlatKeys(_ attributes: Spot) -> Bool {
    known.contains { attributes[$0] != nil }
  }

  private init(keys: Spot, zarrFormat: Int, isMisplaced: Bool, isNested: Bool) {
    let holders = ["plate", "well", "image-label", "omero"].map { keys[$0] }
    let inner = ([keys["multiscales"]?.elements.first] + holders).lazy
      .compactMap { $0?["version"] }.first
    versionSpot = isNested ? keys["version"] : isMisplaced ? keys["version"] ?? inner : inner
    let hasOldKeys = ["multiscales", "plate", "well"].contains { keys[$0] != nil }
    let written = versionSpot.flatMap(Self.text).flatMap { WrittenVersion($0).version }
    isCollection =
      isNested && !hasOldKeys
      && (["type", "nodes"].contains { keys[$0] != nil } || written == .collection)
    version =
      isCollection ? .collection : written ?? Self.assumed(keys, isNested: isNested || isMisplaced)
    self.keys = keys
    self.zarrFormat = zarrFormat
    self.isMisplaced = isMisplaced
  }

  /// A part of a document.
  init(fragment keys: Spot, version: FormatVersion) {
    self.keys = keys
    self.version = version
    zarrFormat = nil
    versionSpot = nil
    isCollection = false
    isMisplaced = false
  }

  /// The same metadata where the keys of chunks tell 0.2 from 0.1, which nothing else does.
  func settled(separator: String?) -> OMEMetadata {
    guard versionSpot == nil, version == .v0_1, keys["multiscales"] != nil, separator == "/" else {
      return self
    }
    var settled = self
    settled.version = .v0_2
    return settled
  }

  /// The text of a version; some writers put a number.
  static func text(_ spot: Spot) -> String? {
    if case .number(let text) = spot.value { return text }
    return spot.value.stringValue
  }

  /// The version that the shape of the metadata points to.
  private static func assumed(_ keys: Spot, isNested: Bool) -> FormatVersion {
    if isNested {
      let image = keys["multiscales"]?.elements.first
      return image?["coordinateSystems"] == nil ? .v0_5 : .v0_6
    }
    if let image = keys["multiscales"]?.elements.first {
      let datasets = image["datasets"]?.elements ?? []
      if datasets.contains(where: { $0["coordinateTransformations"] != nil }) { return .v0_4 }
      guard let axes = image["axes"] else { return .v0_1 }
      let first = axes.elements.first?.value
      return first?.stringValue == nil ? .v0_4 : .v0_3
    }
    if let wells = keys["plate"]?["wells"]?.elements {
      let hasIndices = wells.contains { $0["rowIndex"] != nil || $0["columnIndex"] != nil }
      return hasIndices ? .v0_4 : .v0_1
    }
    return .v0_4
  }
}
