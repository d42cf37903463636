import OMGrid

/// The start of a `.npy` file of version 1.0, before the voxels.
///
/// - Parameters:
///   - shape: The shape of the array.
///   - dataType: The type of its voxels.
/// - Returns: The header, padded to a multiple of 64 bytes as NumPy does.
func npyHeader(shape: [Int], dataType: DataType) -> [UInt8] {
  let kind =
    switch dataType {
    case .bool: "b"
    case .int8, .int16, .int32, .int64: "i"
    case .uint8, .uint16, .uint32, .uint64: "u"
    case .float16, .float32, .float64: "f"
    }
  let order = dataType.byteCount == 1 ? "|" : "<"
  let sizes = shape.map { "\($0)," }.joined(separator: " ")
  var text =
    "{'descr': '\(order)\(kind)\(dataType.byteCount)', 'fortran_order': False, "
    + "'shape': (\(sizes)), }"
  let prefix = 10
  let padding = 63 - (prefix + text.utf8.count) % 64
  text += String(repeating: " ", count: padding) + "\n"
  let count = text.utf8.count
  let magic: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]
  return magic + [UInt8(count & 0xFF), UInt8(count >> 8)] + Array(text.utf8)
}
