import OMJSON

/// A version of OME-Zarr that is read and written here.
package enum OMEVersion: String, Sendable, CaseIterable {
  /// Zarr v2, metadata in `.zattrs`.
  case v0_4 = "0.4"
  /// Zarr v3, metadata in `zarr.json` below `attributes.ome`.
  case v0_5 = "0.5"

  /// The Zarr format of its arrays and groups.
  package var zarrFormat: Int { self == .v0_4 ? 2 : 3 }

  /// The document that holds the metadata of a group.
  package var documentName: String { self == .v0_4 ? ".zattrs" : "zarr.json" }

  /// Whether each `multiscales` entry repeats the version.
  var repeatsVersion: Bool { self == .v0_4 }

  /// The attributes of a group with this OME metadata and our own record.
  ///
  /// - Parameters:
  ///   - metadata: What OME-Zarr defines, without the version of the whole.
  ///   - record: The content of our own key `omtask`, if any.
  /// - Returns: The attributes, each thing where this version wants it.
  func attributes(_ metadata: JSONObject, record: JSON? = nil) -> JSONObject {
    var attributes = metadata
    if self == .v0_5 {
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
    guard let text = writtenVersion(keys, zarrFormat: zarrFormat) else {
      return (try assumed(keys, zarrFormat: zarrFormat, subject: subject), true)
    }
    guard let version = OMEVersion(rawValue: text) else {
      throw unsupported(text, subject)
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
  private static func assumed(
    _ keys: JSONObject, zarrFormat: Int, subject: String
  ) throws(Fault) -> OMEVersion {
    if zarrFormat == 3 { return .v0_5 }
    guard let image = keys["multiscales"]?.arrayValue?.first else { return .v0_4 }
    guard let axes = image["axes"] else { throw unsupported("0.1 or 0.2", subject) }
    if axes.arrayValue?.first?.stringValue != nil { throw unsupported("0.3", subject) }
    return .v0_4
  }

  private static func unsupported(_ version: String, _ subject: String) -> Fault {
    let known = allCases.map(\.rawValue).joined(separator: " and ")
    return Fault(
      .unsupported, subject, "OME-Zarr version \(version) is not supported, \(known) are")
  }
}
