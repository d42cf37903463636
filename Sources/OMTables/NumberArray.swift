import OMCodecs
import OMGrid
import OMJSON
import OMStore
import OMTask
import OMZarr

/// A whole array of numbers in memory.
struct NumberArray {
  let shape: [Int]
  private let type: DataType
  private let bytes: [UInt8]

  /// The most bytes that are read at once; tables are small.
  private static let limit = 1 << 30

  /// Reads an array.
  init(_ store: any Store, path: String, _ context: CodecContext) throws(Fault) {
    let array = try ZarrArray.open(store, path: path)
    shape = array.metadata.shape
    type = array.metadata.dataType
    let count = shape.reduce(type.byteCount, *)
    if count > Self.limit {
      throw Fault(.limit, path, "has \(count) bytes, columns of tables may have \(Self.limit)")
    }
    var bytes = [UInt8](repeating: 0, count: count)
    if count > 0 {
      let reader = ChunkReader(array, context: context)
      let result = bytes.withUnsafeMutableBytes { memory in
        Result { () throws in
          if let start = memory.baseAddress {
            try reader.read(Region(wholeOf: array.metadata.shape), into: start)
          }
        }
      }
      if case .failure(let error) = result {
        throw error as? Fault ?? Fault(.internal, path, "cannot be read: \(error)")
      }
    }
    self.bytes = bytes
  }

  private func all<Value: BitwiseCopyable>(_: Value.Type) -> [Value] {
    bytes.withUnsafeBytes { raw in
      (0..<bytes.count / MemoryLayout<Value>.size).map {
        raw.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Value>.size, as: Value.self)
      }
    }
  }

  /// The numbers as values of a column.
  var values: TableColumn.Values {
    switch type {
    case .bool: .bool(bytes.map { $0 != 0 })
    case .uint64: .uint64(all(UInt64.self))
    case .float16, .float32, .float64: .float64(doubles)
    default: .int64(integers)
    }
  }

  /// Whole numbers; those of other types are cut off.
  var integers: [Int64] {
    switch type {
    case .bool, .uint8: bytes.map { Int64($0) }
    case .int8: all(Int8.self).map { Int64($0) }
    case .uint16: all(UInt16.self).map { Int64($0) }
    case .int16: all(Int16.self).map { Int64($0) }
    case .uint32: all(UInt32.self).map { Int64($0) }
    case .int32: all(Int32.self).map { Int64($0) }
    case .int64: all(Int64.self)
    case .uint64: all(UInt64.self).map { Int64(clamping: $0) }
    case .float16, .float32, .float64: doubles.map { Int64(exactly: $0.rounded(.towardZero)) ?? 0 }
    }
  }

  /// The numbers as doubles.
  var doubles: [Double] {
    switch type {
    case .float16: all(Float16.self).map { Double($0) }
    case .float32: all(Float.self).map { Double($0) }
    case .float64: all(Double.self)
    case .uint64: all(UInt64.self).map { Double($0) }
    default: integers.map { Double($0) }
    }
  }
}
