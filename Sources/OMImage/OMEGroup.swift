package import OMJSON
package import OMStore
import OMZarr

/// The OME-Zarr metadata of one group.
package struct OMEGroup: Sendable {
  /// Where the group is.
  package let path: String
  /// 2 or 3.
  package let zarrFormat: Int
  /// The version of OME-Zarr that the metadata follow.
  package let version: OMEVersion
  /// Whether the metadata leave the version open.
  let isVersionAssumed: Bool
  /// What OME-Zarr defines, such as `multiscales`, `plate` or `labels`.
  package let keys: JSONObject
  /// Our own record of how the group was made; nil when somebody else made it.
  package let record: JSON?
  /// What is odd about them but can be read.
  package let warnings: [String]

  /// Whether the metadata are a node of RFC-8, which is for Zarr v3 only.
  var isNode: Bool { zarrFormat == 3 && CollectionNode.isNode(keys) }

  /// The document that holds the metadata, as messages name it.
  package var subject: String { joinedKey(path, zarrFormat == 2 ? ".zattrs" : "zarr.json") }

  /// Reads the group at a path.
  ///
  /// - Returns: The group, or nil when there is none.
  /// - Throws: `unsupported` for versions that are not ours, and whatever is wrong with the
  ///   documents; the subject is a key of the store.
  package static func read(_ store: any Store, path: String) throws(Fault) -> OMEGroup? {
    guard let group = try ZarrGroup.open(store, path: path) else { return nil }
    return try OMEGroup(path: path, zarrFormat: group.zarrFormat, attributes: group.attributes)
  }

  init(path: String, zarrFormat: Int, attributes: JSONObject) throws(Fault) {
    self.path = path
    self.zarrFormat = zarrFormat
    let subject = joinedKey(path, zarrFormat == 2 ? ".zattrs" : "zarr.json")
    var warnings: [String] = []
    record = attributes["omtask"]
    keys = try Self.omeKeys(attributes, zarrFormat, subject, &warnings)
    let (version, isAssumed) = try OMEVersion.detect(
      keys, zarrFormat: zarrFormat, subject: subject)
    if isAssumed && zarrFormat == 3 && !keys.isEmpty {
      warnings.append("\(subject) has no `ome.version`, read as \(version.rawValue)")
    }
    if let release = version.release {
      warnings.append(
        "\(subject) says OME-Zarr \(version.rawValue), a draft of \(release), read as \(release)")
    }
    self.version = version
    isVersionAssumed = isAssumed
    self.warnings = warnings
  }

  /// Where the metadata lie: in v3 below `ome`, in v2 (and where a v3 writer misplaced them) at
  /// the top.
  private static func omeKeys(
    _ attributes: JSONObject, _ zarrFormat: Int, _ subject: String, _ warnings: inout [String]
  ) throws(Fault) -> JSONObject {
    if zarrFormat == 2 {
      if attributes["ome"] != nil && attributes["multiscales"] == nil {
        throw Fault(
          .metadata, subject, "`ome` belongs to OME-Zarr 0.5 and later, this group is Zarr v2")
      }
      return attributes
    }
    if let keys = try attributes.optional("ome", .object, in: subject) { return keys }
    let misplaced = ["multiscales", "plate", "well", "labels", "image-label"]
      .filter { attributes[$0] != nil }
    if misplaced.isEmpty { return JSONObject() }
    warnings.append("\(subject) has `\(misplaced[0])` outside `ome`, read all the same")
    var keys = attributes
    keys["version"] = nil
    return keys
  }
}
