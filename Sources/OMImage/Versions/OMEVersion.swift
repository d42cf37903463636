import OMJSON

/// A version of OME-Zarr that is read and written here.
package struct OMEVersion: Sendable, Hashable {
  /// What documents of a version look like; later drafts look like the release before them.
  package enum Form: Int, Sendable, Comparable {
    /// Five axes without names, chunk keys such as `0.0.0.0.0`.
    case v0_1
    /// As 0.1, chunk keys such as `0/0/0/0/0`.
    case v0_2
    /// Axes are names.
    case v0_3
    /// Zarr v2, metadata in `.zattrs`, axes are objects, levels have transformations.
    case v0_4
    /// Zarr v3, metadata in `zarr.json` below `attributes.ome`.
    case v0_5
    /// Coordinate systems, and transformations between them.
    case v0_6

    package static func < (one: Form, other: Form) -> Bool { one.rawValue < other.rawValue }
  }

  /// The version as it is written.
  package let rawValue: String
  /// What its documents look like.
  package let form: Form
  /// The release that replaced it, when it is a draft of one.
  let release: String?

  /// All that are read.
  private static let all: [(text: String, form: Form)] = [
    ("0.1", .v0_1), ("0.2", .v0_2), ("0.3", .v0_3), ("0.4", .v0_4), ("0.5", .v0_5), ("0.6", .v0_6),
    ("0.6rc0", .v0_6), ("0.9.dev1", .v0_6), ("0.9.dev2", .v0_6),
  ]

  /// How drafts begin that a release replaced.
  private static let drafts: [(prefix: String, release: OMEVersion)] = [
    ("0.5-dev", .v0_5), ("0.6.dev", .v0_6), ("0.6dev", .v0_6),
  ]

  /// The version of a text; nil for one that is not read.
  package init?(rawValue: String) {
    if let known = Self.all.first(where: { $0.text == rawValue }) {
      self.init(known.text, known.form)
      return
    }
    // The text goes into new documents, so it has to look like a version.
    guard let draft = Self.drafts.first(where: { rawValue.hasPrefix($0.prefix) }),
      rawValue.utf8.count <= draft.prefix.utf8.count + 16,
      rawValue.unicodeScalars.allSatisfy({
        $0.isASCII && ($0.properties.isAlphabetic || "0123456789.-+".unicodeScalars.contains($0))
      })
    else { return nil }
    self.init(rawValue, draft.release.form, release: draft.release.rawValue)
  }

  private init(_ text: String, _ form: Form, release: String? = nil) {
    rawValue = text
    self.form = form
    self.release = release
  }

  package static let v0_1 = OMEVersion("0.1", .v0_1)
  package static let v0_2 = OMEVersion("0.2", .v0_2)
  package static let v0_3 = OMEVersion("0.3", .v0_3)
  package static let v0_4 = OMEVersion("0.4", .v0_4)
  package static let v0_5 = OMEVersion("0.5", .v0_5)
  package static let v0_6 = OMEVersion("0.6", .v0_6)

  /// The Zarr format of its arrays and groups.
  package var zarrFormat: Int { form <= .v0_4 ? 2 : 3 }

  /// The document that holds the metadata of a group.
  package var documentName: String { zarrFormat == 2 ? ".zattrs" : "zarr.json" }

  /// What stands between the indices of a chunk key in Zarr v2.
  package var keySeparator: String { form == .v0_1 ? "." : "/" }

  /// Whether every image has the axes t, c, z, y and x.
  package var hasFixedAxes: Bool { form <= .v0_2 }

  /// What it demands of axes.
  var axisRules: AxisRules {
    switch form {
    case .v0_1, .v0_2, .v0_3: .letters
    case .v0_4, .v0_5: .typed
    case .v0_6: rawValue.hasPrefix("0.9") ? .free : .typedOrArray
    }
  }

  /// Whether arrays name their axes in the attribute `_ARRAY_DIMENSIONS`.
  package var namesAxesInAttributes: Bool { form == .v0_3 }

  /// Whether each `multiscales` entry repeats the version.
  var repeatsVersion: Bool { zarrFormat == 2 }

  /// Whether plates, wells and `image-label` repeat the version.
  var repeatsVersionInside: Bool { form <= .v0_5 }

  /// The attributes of a group with this OME metadata and our own record.
  ///
  /// - Parameters:
  ///   - metadata: What OME-Zarr defines, without the version of the whole.
  ///   - record: The content of our own key `omtask`, if any.
  /// - Returns: The attributes, each thing where this version wants it.
  func attributes(_ metadata: JSONObject, record: JSON? = nil) -> JSONObject {
    var attributes = metadata
    if zarrFormat == 3 {
      let version: [(key: String, value: JSON)] = [("version", .string(rawValue))]
      attributes = ["ome": .object(JSONObject(members: version + metadata.members))]
    }
    attributes["omtask"] = record
    return attributes
  }
}

extension OMEVersion {
  /// The version that a group's metadata say they follow.
  ///
  /// - Parameters:
  ///   - keys: The metadata of OME-Zarr: `attributes.ome` in v3, all attributes in v2.
  ///   - zarrFormat: The Zarr format of the group.
  ///   - subject: The document.
  /// - Returns: The version, and whether the document leaves it open.
  /// - Throws: `unsupported` with the version when it is not one of ours, `metadata` when it does
  ///   not go with the Zarr format.
  static func detect(
    _ keys: JSONObject, zarrFormat: Int, subject: String
  ) throws(Fault) -> (version: OMEVersion, isAssumed: Bool) {
    // Nodes of RFC-8 are drafts of many names; what is put beside them has the last release's form.
    if zarrFormat == 3, CollectionNode.isNode(keys) { return (.v0_6, false) }
    guard let text = writtenVersion(keys, zarrFormat: zarrFormat) else {
      return (assumed(keys, zarrFormat: zarrFormat), true)
    }
    guard let version = OMEVersion(rawValue: text) else {
      throw Fault(
        .unsupported, subject, "OME-Zarr version \(text) is not supported, 0.1 to 0.6 are")
    }
    if version.zarrFormat != zarrFormat {
      throw Fault(
        .metadata, subject,
        "OME-Zarr \(text) is stored as Zarr v\(version.zarrFormat), this group is Zarr v\(zarrFormat)"
      )
    }
    return (version, false)
  }

  /// The version as it is written: at the top of v3 metadata, inside the first entry of v2.
  private static func writtenVersion(_ keys: JSONObject, zarrFormat: Int) -> String? {
    if zarrFormat == 3 { return keys["version"].flatMap(versionText) }
    let holders =
      [keys["multiscales"]?.arrayValue?.first]
      + ["plate", "well", "image-label", "omero"].map { keys[$0] }
    return holders.lazy.compactMap { $0?["version"] }.compactMap(versionText).first
  }

  /// The version's text; some writers put a number.
  private static func versionText(_ json: JSON) -> String? {
    if case .number(let text) = json { return text }
    return json.stringValue
  }

  /// The version that the shape of the metadata points to.
  private static func assumed(_ keys: JSONObject, zarrFormat: Int) -> OMEVersion {
    if zarrFormat == 3 { return .v0_5 }
    guard let image = keys["multiscales"]?.arrayValue?.first else { return .v0_4 }
    // 0.1 and 0.2 differ in the keys of their chunks, which arrays tell themselves.
    guard let axes = image["axes"] else { return .v0_2 }
    return axes.arrayValue?.first?.stringValue == nil ? .v0_4 : .v0_3
  }
}
