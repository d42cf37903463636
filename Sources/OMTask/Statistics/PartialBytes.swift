import OMJSON

/// Writes little-endian integers.
struct ByteWriter {
  private(set) var bytes: [UInt8] = []

  /// Writes one integer.
  mutating func write(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// Writes a kind and two bounds.
  mutating func write(_ kind: UInt8, _ low: Int128, _ high: Int128) {
    write(kind)
    write(low)
    write(high)
  }

  /// Writes the part of a list between its first and last non-zero entry: start, count, entries.
  mutating func writeTrimmed<Length: FixedWidthInteger>(
    _ values: [some FixedWidthInteger], countedBy type: Length.Type
  ) {
    let start = values.firstIndex { $0 != 0 } ?? 0
    let end = values.lastIndex { $0 != 0 }.map { $0 + 1 } ?? start
    write(Length(start))
    write(Length(end - start))
    for value in values[start..<end] { write(value) }
  }
}

/// Reads what `ByteWriter` wrote; never beyond the end.
struct ByteReader {
  private let bytes: [UInt8]
  private var offset = 0

  /// The fault of bytes that are no partial.
  static let damage = Fault(.internal, "", "bytes are not statistics of this version of omtask")

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Whether every byte was read.
  var isAtEnd: Bool { offset == bytes.count }

  /// Reads one integer.
  mutating func read<Value: FixedWidthInteger>(
    _ type: Value.Type = Value.self
  ) throws(Fault) -> Value {
    let size = MemoryLayout<Value>.size
    guard bytes.count - offset >= size else { throw Self.damage }
    let value = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: type) }
    offset += size
    return Value(littleEndian: value)
  }

  /// Reads a trimmed list into places below `limit`.
  mutating func readTrimmed<Length: FixedWidthInteger, Value: FixedWidthInteger>(
    _ type: Length.Type, upTo limit: Int, _ store: (Int, Value) -> Void
  ) throws(Fault) {
    let start = Int(truncatingIfNeeded: try read(type))
    let count = Int(truncatingIfNeeded: try read(type))
    guard 0...limit ~= start, 0...(limit - start) ~= count else { throw Self.damage }
    for place in start..<(start + count) { store(place, try read()) }
  }
}
