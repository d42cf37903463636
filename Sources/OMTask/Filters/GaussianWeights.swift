import Glibc

/// The weights of a Gaussian along one axis, as SciPy makes them.
struct GaussianWeights: Sendable, Equatable {
  /// The weight of the centre, then of its neighbours outwards; nil where the axis is untouched.
  let values: [Double]?

  /// How far the weights reach: four sigmas, rounded.
  var radius: Int { (values?.count ?? 1) - 1 }

  /// Makes the weights; SciPy leaves axes alone whose sigma is at most 1e-15.
  ///
  /// The divisor is the sum over the whole window in the order of NumPy, on which the last bit
  /// of every weight depends.
  init(sigma: Double) {
    guard sigma > 1e-15 else {
      values = nil
      return
    }
    let radius = Int(4 * sigma + 0.5)
    let scale = -0.5 / (sigma * sigma)
    let heights = (-radius...radius).map { exp(scale * Double($0 * $0)) }
    let sum = NumPyArithmetic.pairwiseSum(heights)
    values = heights[radius...].map { $0 / sum }
  }
}
