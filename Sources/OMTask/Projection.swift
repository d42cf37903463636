/// How the voxels along an axis become one.
public struct Projection: Sendable, Equatable {
  /// Which number is taken of the voxels along the axis.
  public enum Method: String, Sendable, CaseIterable {
    case max, min, mean, sum
  }

  /// The letter of the axis: t, c, z, y or x.
  public var axis: String
  /// Which number is taken.
  public var method: Method
  /// Whether a mean of whole numbers is cut off; otherwise it is rounded, halves to even.
  public var truncates: Bool

  /// Makes a projection.
  public init(axis: String, method: Method, truncates: Bool = false) {
    self.axis = axis
    self.method = method
    self.truncates = truncates
  }
}
