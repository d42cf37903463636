import OMGrid

/// What the start of a `.npy` file says; C order and little-endian numbers only.
struct NPYForm {
  let shape: [Int]
  let dataType: DataType
  /// Where the numbers begin.
  let start: Int

  private static let mark = [0x93] + Array("NUMPY".utf8)

  /// How many bytes the start of a file takes of which only a part is there; nil when all of it is, or when
  /// the file is something else.
  static func missingStart(of bytes: [UInt8]) -> Int? {
    guard mark.starts(with: bytes.prefix(mark.count)) else { return nil }
    let start = start(of: bytes)
    return bytes.count < start ? start : nil
  }

  /// Where the numbers begin, as far as the bytes tell: at least behind what tells it.
  private static func start(of bytes: [UInt8]) -> Int {
    let isLong = bytes.count > 6 && bytes[6] >= 2
    let prefix = isLong ? 12 : 10
    guard bytes.count >= prefix else { return prefix }
    var length = Int(bytes[8]) | Int(bytes[9]) << 8
    if isLong { length |= Int(bytes[10]) << 16 | Int(bytes[11]) << 24 }
    return prefix + length
  }

  /// Reads the start of a file; nil when it is something else, or not all there.
  init?(_ bytes: [UInt8]) {
    guard bytes.starts(with: Self.mark), Self.missingStart(of: bytes) == nil else { return nil }
    start = Self.start(of: bytes)
    let text = String(decoding: bytes[(bytes[6] >= 2 ? 12 : 10)..<start], as: UTF8.self)
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
