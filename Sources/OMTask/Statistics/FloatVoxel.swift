/// A floating-point voxel as the counting kernels see it.
protocol FloatVoxel: BinaryFloatingPoint {
  /// The integer with the same bytes.
  associatedtype Bits: FixedWidthInteger & SignedInteger
  /// The type in which the voxel is computed with.
  associatedtype Value: BinaryFloatingPoint
  /// Makes a voxel of its bytes.
  init(bits: Bits)
  /// The voxel in that type, exactly, if it is finite.
  var value: Value { get }
}

extension Float16: FloatVoxel {
  @inline(__always)
  init(bits: Int16) { self.init(bitPattern: UInt16(bitPattern: bits)) }

  /// Shifts the bits to their places in a `Float` and corrects the bias of the exponent by a
  /// product: the plain conversion is a call to the C library on machines without F16C.
  @inline(__always)
  var value: Float {
    let magnitude = Float(bitPattern: UInt32(bitPattern & 0x7fff) &<< 13) * 0x1p112
    return Float(bitPattern: magnitude.bitPattern | UInt32(bitPattern & 0x8000) &<< 16)
  }
}

extension Float: FloatVoxel {
  @inline(__always)
  init(bits: Int32) { self.init(bitPattern: UInt32(bitPattern: bits)) }

  @inline(__always)
  var value: Float { self }
}

extension Double: FloatVoxel {
  @inline(__always)
  init(bits: Int64) { self.init(bitPattern: UInt64(bitPattern: bits)) }

  @inline(__always)
  var value: Double { self }
}
