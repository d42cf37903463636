import OMGrid

/// What becomes of numbers between two axes: rounding to what SciPy would have in memory there.
enum Settling {
  /// They stay doubles.
  case none
  /// They are rounded to `float32`.
  case single
  /// They lose their fractions and are brought into a range.
  case truncated(low: Double, high: Double)
  /// The same for 64-bit integers, whose numbers are too large for `integerPart`.
  case truncatedWide(low: Double, high: Double)

  /// Chooses for voxels that are read as one type and written as another.
  init(_ kind: GaussianKernel.Kind, from input: DataType, to output: DataType) {
    switch (kind == .float ? (input.isFloat ? input : .float64) : output) {
    case .float16, .float32: self = .single
    case .float64: self = .none
    case .bool: self = .truncated(low: 0, high: 1)
    case .uint8: self = .truncated(UInt8.self)
    case .int8: self = .truncated(Int8.self)
    case .uint16: self = .truncated(UInt16.self)
    case .int16: self = .truncated(Int16.self)
    case .uint32: self = .truncated(UInt32.self)
    case .int32: self = .truncated(Int32.self)
    case .uint64: self = .truncatedWide(low: 0, high: 0x1p64)
    case .int64: self = .truncatedWide(low: -0x1p63, high: 0x1p63)
    }
  }

  private static func truncated<V: FixedWidthInteger>(_: V.Type) -> Settling {
    .truncated(low: Double(V.min), high: Double(V.max))
  }

  /// Rounds a row.
  func apply(to numbers: UnsafeMutablePointer<Double>, count: Int) {
    switch self {
    case .none: break
    case .single: for i in 0..<count { numbers[i] = Double(Float(numbers[i])) }
    case .truncated(let low, let high):
      for i in 0..<count { numbers[i] = numbers[i].clamped(low, high).integerPart }
    case .truncatedWide(let low, let high):
      for i in 0..<count { numbers[i] = numbers[i].rounded(.towardZero).clamped(low, high) }
    }
  }
}
