import Glibc

/// The axes of the ellipse, or ellipsoid, that has the second moments of an object, as scikit-image
/// defines them.
struct AxesOfObject {
  var major = 0.0
  var minor = 0.0
  /// Of flat objects only.
  var eccentricity = 0.0
  /// The angle between the first axis (y) and the major axis, from -π/2 to π/2; flat objects only.
  var orientation = 0.0

  /// Finds the axes.
  ///
  /// - Parameters:
  ///   - moments: The central moments zz, zy, zx, yy, yx and xx, divided by the number of voxels.
  ///   - isFlat: Whether the moments of z do not count.
  init(_ moments: [Double], isFlat: Bool) {
    if !isFlat {
      let values = symmetricEigenvalues(moments).map { max(0, $0) }
      major = sqrt(20 * (values.max() ?? 0))
      minor = sqrt(20 * (values.min() ?? 0))
      return
    }
    let (yy, yx, xx) = (moments[3], moments[4], moments[5])
    let half = (yy - xx) / 2
    let large = max(0, (yy + xx) / 2 + sqrt(half * half + yx * yx))
    // The determinant without cancellation, so that lines have no width.
    let error = (-yx * yx).addingProduct(yx, yx)
    let determinant = (yy * xx - yx * yx).isZero ? 0 : (-yx * yx).addingProduct(yy, xx) - error
    let small = large == 0 ? 0 : max(0, determinant / large)
    major = 4 * sqrt(large)
    minor = 4 * sqrt(small)
    eccentricity = large == 0 ? 0 : sqrt(max(0, 1 - small / large))
    orientation =
      yy == xx ? (yx > 0 ? .pi / 4 : -.pi / 4) : 0.5 * atan2(2 * yx, yy - xx)
  }
}

/// The eigenvalues of a symmetric matrix of three rows, by rotations that make it diagonal (Jacobi).
private func symmetricEigenvalues(_ moments: [Double]) -> [Double] {
  var matrix = [
    [moments[0], moments[1], moments[2]], [moments[1], moments[3], moments[4]],
    [moments[2], moments[4], moments[5]],
  ]
  // Each sweep squares what is left beside the diagonal; six are more than ever needed.
  for _ in 0..<12 {
    let rest = abs(matrix[0][1]) + abs(matrix[0][2]) + abs(matrix[1][2])
    if rest == 0 { break }
    for (row, column) in [(0, 1), (0, 2), (1, 2)] where matrix[row][column] != 0 {
      rotate(&matrix, row, column)
    }
  }
  return [matrix[0][0], matrix[1][1], matrix[2][2]]
}

private func rotate(_ matrix: inout [[Double]], _ p: Int, _ q: Int) {
  let theta = (matrix[q][q] - matrix[p][p]) / (2 * matrix[p][q])
  let tangent = (theta < 0 ? -1.0 : 1.0) / (abs(theta) + sqrt(theta * theta + 1))
  let cosine = 1 / sqrt(tangent * tangent + 1)
  let sine = tangent * cosine
  let change = tangent * matrix[p][q]
  matrix[p][p] -= change
  matrix[q][q] += change
  (matrix[p][q], matrix[q][p]) = (0, 0)
  let r = 3 - p - q
  let (left, right) = (matrix[r][p], matrix[r][q])
  matrix[r][p] = cosine * left - sine * right
  matrix[r][q] = sine * left + cosine * right
  (matrix[p][r], matrix[q][r]) = (matrix[r][p], matrix[r][q])
}
