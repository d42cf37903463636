package import OMGrid
import OMTask

/// Turns voxels into another type that has the very same numbers.
struct ExactCast {
  let source: DataType
  let target: DataType

  init(from source: DataType, to target: DataType) {
    self.source = source
    self.target = target
  }

  /// Casts voxels.
  ///
  /// - Parameters:
  ///   - voxels: `count` voxels of the source type.
  ///   - count: How many.
  ///   - copies: Room for as many voxels of the target type.
  /// - Returns: The first voxel that the target type does not have; nil when all were cast. NaN stays
  ///   NaN among floating-point types.
  func run(
    _ voxels: UnsafeRawPointer, count: Int, to copies: UnsafeMutableRawPointer
  ) -> Int? {
    switch source {
    case .bool, .uint8: whole(voxels, count, copies, UInt8.self)
    case .int8: whole(voxels, count, copies, Int8.self)
    case .uint16: whole(voxels, count, copies, UInt16.self)
    case .int16: whole(voxels, count, copies, Int16.self)
    case .uint32: whole(voxels, count, copies, UInt32.self)
    case .int32: whole(voxels, count, copies, Int32.self)
    case .uint64: whole(voxels, count, copies, UInt64.self)
    case .int64: whole(voxels, count, copies, Int64.self)
    case .float16: real(voxels, count, copies, Float16.self)
    case .float32: real(voxels, count, copies, Float.self)
    case .float64: real(voxels, count, copies, Double.self)
    }
  }

  private func whole<V: FixedWidthInteger>(
    _ voxels: UnsafeRawPointer, _ count: Int, _ copies: UnsafeMutableRawPointer, _: V.Type
  ) -> Int? {
    let input = voxels.assumingMemoryBound(to: V.self)
    switch target {
    case .bool:
      for index in 0..<count where input[index] != 0 && input[index] != 1 { return index }
      return integers(input, count, copies, UInt8.self)
    case .uint8: return integers(input, count, copies, UInt8.self)
    case .int8: return integers(input, count, copies, Int8.self)
    case .uint16: return integers(input, count, copies, UInt16.self)
    case .int16: return integers(input, count, copies, Int16.self)
    case .uint32: return integers(input, count, copies, UInt32.self)
    case .int32: return integers(input, count, copies, Int32.self)
    case .uint64: return integers(input, count, copies, UInt64.self)
    case .int64: return integers(input, count, copies, Int64.self)
    case .float16: return floats(input, count, copies, Float16.self)
    case .float32: return floats(input, count, copies, Float.self)
    case .float64: return floats(input, count, copies, Double.self)
    }
  }

  private func integers<V: FixedWidthInteger, W: FixedWidthInteger>(
    _ input: UnsafePointer<V>, _ count: Int, _ copies: UnsafeMutableRawPointer, _: W.Type
  ) -> Int? {
    let output = copies.assumingMemoryBound(to: W.self)
    var differs = false
    for index in 0..<count {
      let copy = W(truncatingIfNeeded: input[index])
      output[index] = copy
      // The same bits may be another number when one type has a sign and the other has none.
      if V(truncatingIfNeeded: copy) != input[index] || (copy < 0) != (input[index] < 0) {
        differs = true
      }
    }
    return differs ? (0..<count).first { W(exactly: input[$0]) == nil } : nil
  }

  private func floats<V: FixedWidthInteger, W: BinaryFloatingPoint>(
    _ input: UnsafePointer<V>, _ count: Int, _ copies: UnsafeMutableRawPointer, _: W.Type
  ) -> Int? {
    let output = copies.assumingMemoryBound(to: W.self)
    for index in 0..<count {
      guard let copy = W(exactly: input[index]) else { return index }
      output[index] = copy
    }
    return nil
  }

  private func real<V: BinaryFloatingPoint>(
    _ voxels: UnsafeRawPointer, _ count: Int, _ copies: UnsafeMutableRawPointer, _: V.Type
  ) -> Int? {
    let input = voxels.assumingMemoryBound(to: V.self)
    switch target {
    case .bool:
      for index in 0..<count where input[index] != 0 && input[index] != 1 { return index }
      return numbers(input, count, copies, UInt8.self)
    case .uint8: return numbers(input, count, copies, UInt8.self)
    case .int8: return numbers(input, count, copies, Int8.self)
    case .uint16: return numbers(input, count, copies, UInt16.self)
    case .int16: return numbers(input, count, copies, Int16.self)
    case .uint32: return numbers(input, count, copies, UInt32.self)
    case .int32: return numbers(input, count, copies, Int32.self)
    case .uint64: return numbers(input, count, copies, UInt64.self)
    case .int64: return numbers(input, count, copies, Int64.self)
    case .float16: return reals(input, count, copies, Float16.self)
    case .float32: return reals(input, count, copies, Float.self)
    case .float64: return reals(input, count, copies, Double.self)
    }
  }

  private func numbers<V: BinaryFloatingPoint, W: FixedWidthInteger>(
    _ input: UnsafePointer<V>, _ count: Int, _ copies: UnsafeMutableRawPointer, _: W.Type
  ) -> Int? {
    let output = copies.assumingMemoryBound(to: W.self)
    for index in 0..<count {
      guard let copy = W(exactly: input[index]) else { return index }
      output[index] = copy
    }
    return nil
  }

  private func reals<V: BinaryFloatingPoint, W: BinaryFloatingPoint>(
    _ input: UnsafePointer<V>, _ count: Int, _ copies: UnsafeMutableRawPointer, _: W.Type
  ) -> Int? {
    let output = copies.assumingMemoryBound(to: W.self)
    for index in 0..<count {
      let copy = W(input[index])
      output[index] = copy
      if V(copy) != input[index] && !input[index].isNaN { return index }
    }
    return nil
  }
}

extension DataType {
  /// A voxel as people write it.
  package func text(_ voxel: UnsafeRawPointer) -> String {
    switch self {
    case .bool, .uint8: "\(voxel.loadUnaligned(as: UInt8.self))"
    case .int8: "\(voxel.loadUnaligned(as: Int8.self))"
    case .uint16: "\(voxel.loadUnaligned(as: UInt16.self))"
    case .int16: "\(voxel.loadUnaligned(as: Int16.self))"
    case .uint32: "\(voxel.loadUnaligned(as: UInt32.self))"
    case .int32: "\(voxel.loadUnaligned(as: Int32.self))"
    case .uint64: "\(voxel.loadUnaligned(as: UInt64.self))"
    case .int64: "\(voxel.loadUnaligned(as: Int64.self))"
    case .float16: "\(voxel.loadUnaligned(as: Float16.self))"
    case .float32: "\(voxel.loadUnaligned(as: Float.self))"
    case .float64: "\(voxel.loadUnaligned(as: Double.self))"
    }
  }
}
