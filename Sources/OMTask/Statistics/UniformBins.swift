import OMJSON

/// The number of bins of a floating-point histogram, the default of scikit-image.
let uniformBinCount = 256

/// The 256 bins of equal width of `numpy.histogram`, computed in the image's own type.
///
/// Source: NumPy 2.4, `numpy/lib/_histograms_impl.py` (`_get_bin_edges`, `histogram`) and
/// `numpy.linspace`. Every step rounds in `Value`, as there.
struct UniformBins<Value: BinaryFloatingPoint & Sendable>: Sendable, Equatable {
  /// The lower edge of the first bin.
  let first: Value
  /// The upper edge of the last bin, which belongs to it.
  let last: Value
  /// All 257 edges.
  let edges: [Value]

  /// Cuts a range into bins.
  ///
  /// - Throws: `.task` where NumPy refuses too: when the type has no numbers between two edges.
  init(from first: Value, through last: Value) throws(Fault) {
    let step = (last - first) / Value(uniformBinCount)
    var edges = (0...uniformBinCount).map { index in
      // linspace: a step that underflows to zero is divided out later
      step == 0
        ? Value(index) / Value(uniformBinCount) * (last - first) + first
        : Value(index) * step + first
    }
    edges[uniformBinCount] = last
    guard zip(edges, edges.dropFirst()).allSatisfy({ $0 < $1 }) else {
      throw Fault(
        .task, "", "the range \(first) to \(last) cannot be cut into \(uniformBinCount) bins",
        hint: "use the method `mean` or `fixed`, which need no histogram")
    }
    self.first = first
    self.last = last
    self.edges = edges
  }

  /// The middle of each bin, as scikit-image computes it.
  var centres: [Value] { zip(edges, edges.dropFirst()).map { ($0 + $1) / 2 } }

  /// The bin of a voxel, nil when it is no number within the range.
  ///
  /// It is found by scaling and then corrected by comparing with the edges, as in NumPy.
  func bin(of voxel: Value) -> Int? {
    edges.withUnsafeBufferPointer { edges in
      edges.baseAddress.flatMap { bin(of: voxel, edges: $0) }
    }
  }

  /// Counts voxels, and returns the first that has no bin.
  @inline(__always)
  func count<Voxel: FloatVoxel>(
    _ voxels: UnsafePointer<Voxel>, _ length: Int, in counts: UnsafeMutablePointer<UInt64>
  ) -> Int? {
    edges.withUnsafeBufferPointer { edges in
      guard let edges = edges.baseAddress else { return 0 }
      for index in 0..<length {
        guard let bin = bin(of: Value(voxels[index].value), edges: edges) else { return index }
        counts[bin] &+= 1
      }
      return nil
    }
  }

  @inline(__always)
  private func bin(of voxel: Value, edges: UnsafePointer<Value>) -> Int? {
    guard voxel >= first, voxel <= last else { return nil }
    var bin = Int(Double((voxel - first) / (last - first) * Value(uniformBinCount)))
    if bin == uniformBinCount { bin &-= 1 }
    if voxel < edges[bin] { bin &-= 1 }
    if bin != uniformBinCount &- 1, voxel >= edges[bin &+ 1] { bin &+= 1 }
    return bin
  }
}
