import OMCodecs
import OMGrid
import OMJSON

extension ArrayMetadata {
  /// Reads a v2 document.
  ///
  /// - Parameters:
  ///   - json: The document `.zarray`.
  ///   - attributes: The content of `.zattrs`.
  ///   - subject: The key of the document, for messages.
  /// - Throws: `metadata`, `limit` or `unsupported`.
  init(v2 json: JSON, attributes: JSONObject, subject: String) throws(Fault) {
    let document = try rootObject(json, zarrFormat: 2, in: subject)
    let rules = ShapeRules(subject: subject)
    let shape = try rules.sizes(document["shape"], "shape", atLeast: 0)
    let chunkShape = try rules.sizes(
      document["chunks"], "chunks", atLeast: 1, rank: shape.count)
    let type = try V2DataType(document.required("dtype", .any, in: subject), in: subject)
    let width = type.dataType.byteCount
    try rules.byteCount(shape, elementByteCount: width, "an array of")
    try rules.chunk(chunkShape, elementByteCount: width)

    zarrFormat = 2
    self.shape = shape
    dataType = type.dataType
    fillValue = try FillValue(dataType: dataType, subject: subject).v2(document["fill_value"])
    storedChunkShape = chunkShape
    keyEncoding = try KeyEncoding(v2: document, in: subject)
    dimensionNames = nil
    self.attributes = attributes
    self.document = json
    pipeline = try CodecPipeline(
      v2: document.required("compressor", .any, in: subject),
      filters: document.required("filters", .any, in: subject),
      isColumnMajor: try isColumnMajor(document, in: subject), byteOrder: type.byteOrder,
      chunkShape: chunkShape, dataType: dataType, subject: subject)
    sharding = nil
  }
}

private func isColumnMajor(_ document: JSONObject, in subject: String) throws(Fault) -> Bool {
  switch try document.required("order", .string, in: subject) {
  case "C": return false
  case "F": return true
  case let other:
    throw Fault(.metadata, subject, "`order` is \"\(other)\", expected \"C\" or \"F\"")
  }
}

extension JSONShape where Value == JSON {
  /// Any value, null too.
  static var any: Self { Self("a value") { $0 } }
}

/// The members of a document of this version.
///
/// - Throws: `metadata` when it is no object, `unsupported` for another version.
func rootObject(
  _ json: JSON, zarrFormat: Int, in subject: String
) throws(Fault) -> JSONObject {
  guard let document = json.objectValue else {
    throw Fault(.metadata, subject, "the document is \(json.kindName), expected an object")
  }
  guard let found = document["zarr_format"] else {
    throw Fault(.metadata, subject, "`zarr_format` is missing, expected \(zarrFormat)")
  }
  guard found.intValue == zarrFormat else {
    throw Fault(
      .unsupported, subject, "`zarr_format` is \(found.excerpt), expected \(zarrFormat)")
  }
  return document
}
