package import OMJSON

/// A message between ranks: plain values and byte strings one after the other.
package struct Packet {
  /// The bytes so far.
  package private(set) var bytes: [UInt8] = []

  /// Makes an empty message.
  package init() {}

  /// Adds a plain value in the byte order of this machine (all ranks of a job share it).
  package mutating func write<Value: BitwiseCopyable>(_ value: Value) {
    withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
  }

  /// Adds plain values with their count.
  package mutating func write<Value: BitwiseCopyable>(_ values: [Value]) {
    write(UInt64(values.count))
    values.withUnsafeBytes { bytes.append(contentsOf: $0) }
  }
}

/// Reads what a `Packet` wrote, in the same order.
package struct PacketReader {
  private let bytes: [UInt8]
  private var offset = 0

  /// Makes a reader.
  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Whether everything was read.
  package var isAtEnd: Bool { offset >= bytes.count }

  /// Reads a plain value.
  package mutating func read<Value: BitwiseCopyable>(_: Value.Type) throws(Fault) -> Value {
    let size = MemoryLayout<Value>.size
    try need(size)
    defer { offset += size }
    return bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Value.self) }
  }

  /// Reads a number that cannot be negative; files and other ranks are not trusted to keep to that.
  mutating func readCount() throws(Fault) -> Int {
    let value = try read(Int64.self)
    if value < 0 { throw Fault(.internal, "", "a count is \(value)") }
    return Int(value)
  }

  /// Reads a truth value; any byte is one.
  mutating func read(_: Bool.Type) throws(Fault) -> Bool { try read(UInt8.self) != 0 }

  /// Reads truth values with their count.
  mutating func readArray(_: Bool.Type) throws(Fault) -> [Bool] {
    try readArray(UInt8.self).map { $0 != 0 }
  }

  /// Reads plain values with their count.
  package mutating func readArray<Value: BitwiseCopyable>(
    _: Value.Type
  ) throws(Fault) -> [Value] {
    let count = Int(clamping: try read(UInt64.self))
    let stride = MemoryLayout<Value>.stride
    let (size, overflow) = count.multipliedReportingOverflow(by: stride)
    try need(overflow ? Int.max : size)
    defer { offset += size }
    return bytes.withUnsafeBytes { source in
      [Value](unsafeUninitializedCapacity: count) { room, used in
        if let target = room.baseAddress, let start = source.baseAddress {
          UnsafeMutableRawPointer(target).copyMemory(from: start + offset, byteCount: size)
        }
        used = count
      }
    }
  }

  /// Reads bytes with their count.
  package mutating func readBytes() throws(Fault) -> [UInt8] { try readArray(UInt8.self) }

  private func need(_ size: Int) throws(Fault) {
    if size > bytes.count - offset {
      throw Fault(.internal, "", "a message between ranks is shorter than it says")
    }
  }
}
