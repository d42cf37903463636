/// Three numbers along z, y and x.
@frozen public struct Vector3: BitwiseCopyable, Sendable, Hashable {
  /// Along z.
  public var z: Int
  /// Along y.
  public var y: Int
  /// Along x.
  public var x: Int

  /// Makes a vector.
  @inlinable public init(_ z: Int, _ y: Int, _ x: Int) {
    self.z = z
    self.y = y
    self.x = x
  }
}
