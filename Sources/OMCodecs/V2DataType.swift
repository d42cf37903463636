package import OMGrid
package import OMJSON

/// A v2 type such as `<u2`.
package struct V2DataType: Sendable {
  /// The type of the voxels.
  package let dataType: DataType
  /// The byte order in which they are stored; of no meaning for types of one byte.
  package let byteOrder: ByteOrder

  /// The kinds and widths that are supported, without the byte order.
  private static let names: [String: DataType] = [
    "b1": .bool, "i1": .int8, "i2": .int16, "i4": .int32, "i8": .int64, "u1": .uint8,
    "u2": .uint16, "u4": .uint32, "u8": .uint64, "f2": .float16, "f4": .float32, "f8": .float64,
  ]

  /// Reads a type.
  ///
  /// - Throws: `unsupported` for another type, `metadata` when the byte order is missing.
  package init(_ json: JSON, in subject: String) throws(Fault) {
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
  package static func name(_ dataType: DataType) -> String {
    let name = names.first { $0.value == dataType }?.key ?? dataType.rawValue
    return (dataType.byteCount == 1 ? "|" : "<") + name
  }
}
