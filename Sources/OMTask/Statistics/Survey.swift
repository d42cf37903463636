/// The range and the exact sum of integers of 32 or 64 bits.
struct IntegerSurvey<Voxel: FixedWidthInteger> {
  private(set) var low = Voxel.max
  private(set) var high = Voxel.min
  private(set) var sum: Int128 = 0

  /// Adds voxels.
  ///
  /// Halves of 32 bits are summed apart in 64 bits, which lets the compiler use vectors; a piece
  /// is short enough that neither half overflows.
  @inline(__always)
  mutating func add(_ voxels: UnsafePointer<Voxel>, _ length: Int) {
    var (low, high) = (self.low, self.high)
    var start = 0
    while start < length {
      let end = min(start &+ 1 << 30, length)
      var lowHalves: UInt64 = 0
      var highHalves: Int64 = 0
      for index in start..<end {
        let voxel = voxels[index]
        low = voxel < low ? voxel : low
        high = voxel > high ? voxel : high
        if Voxel.bitWidth == 64 { lowHalves &+= UInt64(truncatingIfNeeded: voxel) & 0xffff_ffff }
        highHalves &+= Int64(truncatingIfNeeded: Voxel.bitWidth == 64 ? voxel >> 32 : voxel)
      }
      let scale: Int128 = Voxel.bitWidth == 64 ? 1 << 32 : 1
      sum &+= Int128(highHalves) &* scale &+ Int128(lowHalves)
      start = end
    }
    (self.low, self.high) = (low, high)
  }
}

/// The range of a row of floating-point voxels.
struct FloatSurvey<Voxel: FloatVoxel> {
  /// The smallest voxel; a zero is +0, for which of the two zeros comes first would decide.
  let low: Voxel
  /// The largest voxel.
  let high: Voxel

  /// Surveys a row; nil when a voxel is not finite.
  ///
  /// The bits of floating-point numbers, taken as integers, are in the order of the numbers once
  /// those below zero are turned round. Infinities and NaNs are at both ends of that order, so two
  /// integer comparisons per voxel, which the compiler turns into vectors, tell all.
  @inline(__always)
  init?(_ voxels: UnsafePointer<Voxel>, _ length: Int) {
    let bits = UnsafeRawPointer(voxels).assumingMemoryBound(to: Voxel.Bits.self)
    var (low, high) = (Voxel.Bits.max, Voxel.Bits.min)
    for index in 0..<length {
      let place = Self.turned(bits[index])
      low = place < low ? place : low
      high = place > high ? place : high
    }
    self.low = Voxel(bits: Self.turned(low)) + 0
    self.high = Voxel(bits: Self.turned(high)) + 0
    if !self.low.isFinite || !self.high.isFinite { return nil }
  }

  /// Turns the order of the bits of numbers below zero; its own inverse.
  @inline(__always)
  private static func turned(_ bits: Voxel.Bits) -> Voxel.Bits {
    bits ^ (bits &>> Voxel.Bits(Voxel.Bits.bitWidth &- 1) & Voxel.Bits.max)
  }
}
