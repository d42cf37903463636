import OMGrid

/// What the start of a `.npy` file says; C order and little-endian numbers only.
struct NPYForm {
  let shape: [Int]
  let dataType: DataType
  /// Where the numbers begin.
  let start: Int

  /// Reads the start of a file; nil when it is something else.
  init?(_ bytes: [UInt8]) {
    guard bytes.count > 12, bytes[0] == 0x93, bytes[1..<6].elementsEqual("NUMPY".utf8) else {
      return nil
    }
    let isLong = bytes[6] >= 2
    let prefix = isLong ? 12 : 10
    var length = Int(bytes[8]) | Int(bytes[9]) << 8
    if isLong { length |= Int(bytes[10]) << 16 | Int(bytes[11]) << 24 }
    start = prefix + length
    guard start <= bytes.count else { return nil }
    let text = String(decoding: bytes[prefix..<start], as: UTF8.self)
    guard let order = Self.value(of: "fortran_order", in: text), order.hasPrefix("False"),
      let name = Self.value(of: "descr", in: text)?.dropFirst().prefix(while: { $0 != "'" }),
      let type = Self.types[String(name.dropFirst())], let first = name.first,
      first == "<" || first == "|" || first == "=",
      let sizes = Self.value(of: "shape", in: text), sizes.first == "("
    else { return nil }
    let numbers = sizes.dropFirst().prefix { $0 != ")" }.split(separator: ",")
    var shape: [Int] = []
    for number in numbers {
      let word = number.drop { $0 == " " }
      if word.isEmpty { continue }
      guard let size = Int(word), size > 0 else { return nil }
      shape.append(size)
    }
    self.shape = shape
    dataType = type
  }

  /// The text behind a key.
  private static func value(of key: String, in text: String) -> Substring? {
    let mark = "'\(key)':"
    var rest = text[...]
    while !rest.isEmpty {
      if rest.hasPrefix(mark) { return rest.dropFirst(mark.count).drop { $0 == " " } }
      rest = rest.dropFirst()
    }
    return nil
  }

  private static let types: [String: DataType] = [
    "b1": .bool, "u1": .uint8, "u2": .uint16, "u4": .uint32, "u8": .uint64, "i1": .int8,
    "i2": .int16, "i4": .int32, "i8": .int64, "f2": .float16, "f4": .float32, "f8": .float64,
  ]
}
