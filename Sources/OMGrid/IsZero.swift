/// Whether every byte is 0.
public func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
  var offset = 0
  while offset + 64 <= bytes.count {
    let eight = bytes.loadUnaligned(fromByteOffset: offset, as: SIMD8<UInt64>.self)
    if eight != .zero { return false }
    offset += 64
  }
  while offset < bytes.count {
    if bytes[offset] != 0 { return false }
    offset += 1
  }
  return true
}
