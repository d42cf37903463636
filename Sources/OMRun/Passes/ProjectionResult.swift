import OMGrid
import OMTask

/// Makes voxels of the sums of lines of whole numbers.
struct ProjectionResult {
  let projection: Projection
  let dataType: DataType

  init(_ projection: Projection, _ dataType: DataType) {
    self.projection = projection
    self.dataType = dataType
  }

  /// Writes sums, or means of them.
  ///
  /// A sum that the type cannot hold becomes its largest or smallest number; a mean is exact and
  /// rounded once.
  ///
  /// - Parameters:
  ///   - sums: `count` sums.
  ///   - count: How many.
  ///   - length: How many voxels are in each.
  ///   - target: Room for as many voxels of the type.
  func write<Sum: FixedWidthInteger>(
    _ sums: UnsafePointer<Sum>, count: Int, length: Sum, to target: UnsafeMutableRawPointer
  ) {
    switch dataType {
    case .bool:
      write(sums, count, length, target, UInt8.self)
      let voxels = target.assumingMemoryBound(to: UInt8.self)
      for index in 0..<count { voxels[index] = min(voxels[index], 1) }
    case .uint8: write(sums, count, length, target, UInt8.self)
    case .int8: write(sums, count, length, target, Int8.self)
    case .uint16: write(sums, count, length, target, UInt16.self)
    case .int16: write(sums, count, length, target, Int16.self)
    case .uint32: write(sums, count, length, target, UInt32.self)
    case .int32: write(sums, count, length, target, Int32.self)
    case .uint64: write(sums, count, length, target, UInt64.self)
    case .int64: write(sums, count, length, target, Int64.self)
    case .float16: writeFloats(sums, count, length, target, Float16.self)
    case .float32: writeFloats(sums, count, length, target, Float.self)
    case .float64: writeFloats(sums, count, length, target, Double.self)
    }
  }

  private func write<Sum: FixedWidthInteger, V: FixedWidthInteger>(
    _ sums: UnsafePointer<Sum>, _ count: Int, _ length: Sum, _ target: UnsafeMutableRawPointer,
    _: V.Type
  ) {
    let voxels = target.assumingMemoryBound(to: V.self)
    if projection.method == .sum {
      for index in 0..<count { voxels[index] = V(clamping: sums[index]) }
    } else {
      for index in 0..<count { voxels[index] = V(clamping: mean(sums[index], length)) }
    }
  }

  private func writeFloats<Sum: FixedWidthInteger, V: BinaryFloatingPoint>(
    _ sums: UnsafePointer<Sum>, _ count: Int, _ length: Sum, _ target: UnsafeMutableRawPointer,
    _: V.Type
  ) {
    let voxels = target.assumingMemoryBound(to: V.self)
    let divisor = projection.method == .mean ? Double(length) : 1
    for index in 0..<count { voxels[index] = V(Double(sums[index]) / divisor) }
  }

  /// The mean as a whole number.
  private func mean<Sum: FixedWidthInteger>(_ sum: Sum, _ length: Sum) -> Sum {
    let (quotient, remainder) = sum.quotientAndRemainder(dividingBy: length)
    if projection.truncates { return quotient }
    let twice = remainder.magnitude * 2
    let isUp = twice > length.magnitude || (twice == length.magnitude && quotient % 2 != 0)
    return isUp ? quotient + sum.signum() : quotient
  }
}
