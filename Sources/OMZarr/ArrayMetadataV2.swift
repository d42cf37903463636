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
    try refuseFilters(document.required("filters", .any, in: subject), in: subject)

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
      isColumnMajor: try isColumnMajor(document, in: subject), byteOrder: type.byteOrder,
      chunkShape: chunkShape, dataType: dataType, subject: subject)
    sharding = nil
  }
}

/// A v2 type such as `<u2`.
struct V2DataType {
  let dataType: DataType
  let byteOrder: ByteOrder

  /// The kinds and widths that are supported, without the byte order.
  static let names: [String: DataType] = [
    "b1": .bool, "i1": .int8, "i2": .int16, "i4": .int32, "i8": .int64, "u1": .uint8,
    "u2": .uint16, "u4": .uint32, "u8": .uint64, "f2": .float16, "f4": .float32, "f8": .float64,
  ]

  init(_ json: JSON, in subject: String) throws(Fault) {
    let text = json.stringValue ?? ""
    guard let order = text.first, "<>|".contains(order),
      let dataType = Self.names[String(text.dropFirst())]
    else {
      throw Fault(
        .unsupported, subject, "the `dtype` \(json.excerpt) is not supported",
        facts: ["supported: bool, integers and floats, as in \"<u2\""])
    }
    guard order != "|" || dataType.byteCount == 1 else {
      throw Fault(
        .metadata, subject, "the `dtype` \"\(text)\" lacks its byte order, expected < or >")
    }
    self.dataType = dataType
    byteOrder = order == ">" ? .big : .little
  }

  /// The type as we write it.
  static func name(_ dataType: DataType) -> String {
    let name = names.first { $0.value == dataType }?.key ?? dataType.rawValue
    return (dataType.byteCount == 1 ? "|" : "<") + name
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

/// Filters change voxels, so an array with one that is not known cannot be read.
private func refuseFilters(_ filters: JSON, in subject: String) throws(Fault) {
  if filters == .null || filters == [] { return }
  let settings = try CodecSettings(
    v2: filters.arrayValue?.first ?? filters, subject: subject, place: "filters")
  throw Fault(.unsupported, subject, "the filter `\(settings.name)` is not supported")
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
