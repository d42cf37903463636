import OMJSON

/// The 65,536 bins of equal width in which Li's method iterates over a floating-point image.
///
/// Each voxel is placed on a grid of 2^40 steps between the smallest and the largest one. Its bin
/// is the upper 16 bits of the step; the lower 24 bits are summed per bin, in integers, so that
/// the mean of any run of bins is known to 2^-40 of the range and does not depend on the order.
struct FineBins: Sendable, Equatable {
  /// The number of bins.
  static let count = 1 << 16
  /// The width of a bin in steps.
  static let width = Double(1 << lowBits)
  private static let lowBits = 24
  private static let lowMask = 1 << lowBits - 1
  private static let steps = 1 << 40

  /// The smallest voxel.
  let first: Double
  /// The largest voxel.
  let last: Double
  private let scale: Double

  /// Cuts a range into bins.
  ///
  /// - Throws: `.task` when the width of the range is no normal number.
  init(from first: Double, through last: Double) throws(Fault) {
    self.first = first
    self.last = last
    scale = Double(Self.steps) / (last - first)
    guard (last - first).isFinite, scale.isFinite else {
      throw Fault(
        .task, "", "the range \(first) to \(last) cannot be cut into \(Self.count) bins",
        hint: "use the method `mean` or `fixed`, which need no histogram")
    }
  }

  /// The step of a voxel on the grid, nil when it is no number within the range.
  @inline(__always)
  func step(of voxel: Double) -> Int? {
    guard voxel >= first, voxel <= last else { return nil }
    return min(Int((voxel - first) * scale), Self.steps &- 1)
  }

  /// Adds voxels at one step to a table.
  ///
  /// The first half of the table holds the counts of the bins, the second half their sums.
  @inline(__always)
  func add(_ step: Int, _ times: UInt64, to table: UnsafeMutablePointer<UInt64>) {
    let bin = step &>> Self.lowBits
    table[bin] &+= times
    table[Self.count &+ bin] &+= UInt64(truncatingIfNeeded: step & Self.lowMask) &* times
  }

  /// Counts voxels, and returns the first that has no bin.
  @inline(__always)
  func count<Voxel: FloatVoxel>(
    _ voxels: UnsafePointer<Voxel>, _ length: Int, in table: UnsafeMutablePointer<UInt64>
  ) -> Int? {
    for index in 0..<length {
      guard let step = step(of: Double(voxels[index].value)) else { return index }
      add(step, 1, to: table)
    }
    return nil
  }

  /// The number of voxels of a bin and the sum of their distances from `first`, in steps.
  func moments(of bin: Int, in table: [UInt64]) -> (count: UInt64, steps: Int128) {
    let whole = Int128(table[bin]) * Int128(bin << Self.lowBits)
    return (table[bin], whole + Int128(table[Self.count + bin]))
  }

  /// A distance in steps as a distance in voxel values.
  func distance(_ steps: Double) -> Double { steps / scale }
}
