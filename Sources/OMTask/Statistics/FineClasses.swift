/// The classes below and above any split of a floating-point image, from its fine bins.
///
/// scikit-image iterates Li's method over the voxels; here they are known by bin. The mean of whole
/// bins is exact. In the bin that the split falls into, voxels are taken as spread evenly around
/// its mean, as far as its nearer edge; so a single voxel, or a value on an edge, is not split.
/// Of 416 synthetic images of 5,000 to 100,000 voxels 413 agreed with scikit-image within the width
/// of a bin, 1/65,536 of the range, and all within seven: more where the iteration closes in slowly.
struct FineClasses {
  private let bins: FineBins
  /// The mean of each bin that has voxels, in steps from the smallest voxel.
  private let means: [Double]
  /// How far the voxels of the bin lie to both sides of its mean.
  private let spreads: [Double]
  /// The voxels in all bins before this one, and one entry for all; and their sums in steps.
  private var countBefore: [UInt64] = [0]
  private var stepsBefore: [Int128] = [0]

  /// Takes the bins that have voxels from a table.
  init(_ table: [UInt64], _ bins: FineBins) {
    var means: [Double] = []
    var spreads: [Double] = []
    for bin in 0..<FineBins.count where table[bin] > 0 {
      let (count, steps) = bins.moments(of: bin, in: table)
      let mean = Double(steps) / Double(count)
      let edge = Double(bin) * FineBins.width
      means.append(mean)
      spreads.append(count == 1 ? 0 : min(mean - edge, edge + FineBins.width - mean))
      countBefore.append(countBefore[means.count - 1] &+ count)
      stepsBefore.append(stepsBefore[means.count - 1] &+ steps)
    }
    self.bins = bins
    self.means = means
    self.spreads = spreads
  }

  /// Li's threshold.
  var liThreshold: Double {
    let mean = Double(stepsBefore[means.count]) / Double(countBefore[means.count])
    return bins.first + bins.distance(Li.iterate(from: mean, tolerance: tolerance, classMeans))
  }

  /// Half the smallest distance between two grey values, as in scikit-image, where that can be told
  /// from bins; else one step.
  private var tolerance: Double {
    let gap = zip(means, means.dropFirst()).reduce(.infinity) { min($0, $1.1 - $1.0) }
    return gap < FineBins.width ? 1 : gap / 2
  }

  private func classMeans(_ split: Double) -> (back: Double, fore: Double) {
    let bin = means.indices.first { means[$0] + spreads[$0] > split } ?? means.count
    var (count, steps) = (0.0, 0.0)
    if bin < means.count, means[bin] - spreads[bin] < split {
      let low = means[bin] - spreads[bin]
      count = Double(countBefore[bin + 1] - countBefore[bin]) * (split - low) / (2 * spreads[bin])
      steps = count * (low + split) / 2
    }
    let all = (count: countBefore[means.count], steps: stepsBefore[means.count])
    return (
      back: (Double(stepsBefore[bin]) + steps) / (Double(countBefore[bin]) + count),
      fore: (Double(all.steps - stepsBefore[bin]) - steps)
        / (Double(all.count - countBefore[bin]) - count)
    )
  }
}
