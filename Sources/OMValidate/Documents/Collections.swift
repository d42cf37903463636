import OMJSON

extension Validator {
  /// Whether a file holds nodes of RFC-8, so that what lies beside it belongs to it.
  package static func isCollection(_ bytes: [UInt8]) -> Bool {
    guard let root = try? JSON(parsing: bytes, subject: ""), root["ome"] != nil else {
      return false
    }
    return OMEMetadata(Spot(root), zarrFormat: 3).isCollection
  }
}
