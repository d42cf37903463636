import OMJSON

/// The comment of an archive: what RFC-9 wants it to say.
struct ZipComment: Sendable, Equatable {
  /// The version of OME-Zarr.
  let version: String?
  /// Whether it promises that no `zarr.json` follows the first other entry.
  let isJSONFirst: Bool
  /// What RFC-9 wants otherwise; nil when it is as it should be.
  let problem: String?

  /// Reads a comment; whatever it holds, the archive can be read.
  init(_ bytes: [UInt8]) {
    var (version, isFirst, problem): (String?, Bool, String?) = (nil, false, nil)
    if bytes.isEmpty {
      problem = "the archive has no comment, RFC-9 wants one with `ome.version`"
    } else if let json = try? JSON(parsing: bytes, subject: "") {
      version = json["ome"]?["version"]?.stringValue
      let promise = json["ome"]?["zipFile"]?["centralDirectory"]?["jsonFirst"]
      isFirst = promise?.boolValue ?? false
      if version == nil {
        problem = "the comment of the archive lacks `ome.version`"
      } else if let promise, promise.boolValue == nil {
        problem = "`jsonFirst` in the comment of the archive is \(promise.kindName)"
      }
    } else {
      problem = "the comment of the archive is no JSON"
    }
    (self.version, isJSONFirst, self.problem) = (version, isFirst, problem)
  }

  /// The comment of an archive whose metadata come first.
  ///
  /// - Parameter version: The version of OME-Zarr.
  /// - Returns: The comment.
  static func bytes(version: String) -> [UInt8] {
    let promise: JSON = ["centralDirectory": ["jsonFirst": true]]
    let document: JSON = ["ome": ["version": .string(version), "zipFile": promise]]
    return document.bytes()
  }
}
