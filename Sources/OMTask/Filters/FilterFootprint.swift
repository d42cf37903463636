import OMGrid

/// Which neighbours a filter looks at.
public enum FilterFootprint: String, Sendable, CaseIterable {
  /// All within the radius along every axis.
  case box
  /// Those in the ellipsoid with the radii: `skimage.morphology.ball` or `disk` where radii are
  /// equal or 0.
  case ball

  /// The steps from a voxel to its neighbours and itself, in C order; with each one the opposite.
  func offsets(radius: Vector3) -> [Vector3] {
    (-radius.z...radius.z).flatMap { z in
      (-radius.y...radius.y).flatMap { y in
        (-radius.x...radius.x).map { x in Vector3(z, y, x) }
      }
    }.filter { self == .box || Self.isInBall($0, radius) }
  }

  /// The same as rows: every footprint has one stretch at most at each z and y.
  func spans(radius: Vector3) -> [FootprintSpan] {
    (-radius.z...radius.z).flatMap { z in
      (-radius.y...radius.y).compactMap { y in
        (0...radius.x).last { self == .box || Self.isInBall(Vector3(z, y, $0), radius) }
          .map { FootprintSpan(z: z, y: y, reach: $0) }
      }
    }
  }

  /// Whether (z / rz)² + (y / ry)² + (x / rx)² is at most 1, in integers.
  private static func isInBall(_ step: Vector3, _ radius: Vector3) -> Bool {
    // Along an axis of radius 0 every step is 0.
    let (rz, ry, rx) = (max(1, radius.z), max(1, radius.y), max(1, radius.x))
    let (a, b, c) = (step.z * ry * rx, step.y * rz * rx, step.x * rz * ry)
    return a * a + b * b + c * c <= rz * rz * ry * ry * rx * rx
  }
}

/// The part of a footprint in one row.
struct FootprintSpan: Sendable {
  /// The step to the row along z.
  let z: Int
  /// The step to the row along y.
  let y: Int
  /// How far the row reaches to both sides of the middle.
  let reach: Int
}
