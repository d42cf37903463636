/// A box of voxels, apart from the types under test.
package struct Box: Sendable, Equatable {
  /// Sizes along z, y and x.
  package struct Size: Sendable, Equatable {
    /// Along z.
    package var z: Int
    /// Along y.
    package var y: Int
    /// Along x.
    package var x: Int

    /// Makes a size.
    package init(_ z: Int, _ y: Int, _ x: Int) { (self.z, self.y, self.x) = (z, y, x) }

    /// The number of voxels.
    package var count: Int { z * y * x }
  }

  /// The first voxel.
  package var low: Size
  /// One past the last voxel.
  package var high: Size

  /// Makes a box.
  package init(low: Size, high: Size) { (self.low, self.high) = (low, high) }

  /// Whether a voxel is in the box.
  package func contains(_ z: Int, _ y: Int, _ x: Int) -> Bool {
    low.z..<high.z ~= z && low.y..<high.y ~= y && low.x..<high.x ~= x
  }
}

/// The objects of one volume by the plainest method there is: what everything else must agree with.
package struct Flood: Sendable {
  /// One object.
  package struct Component: Sendable, Equatable {
    /// The raster index of its first voxel.
    package var key: UInt64
    /// Its number of voxels.
    package var count: UInt64
    /// Whether it touches the border.
    package var touchesBorder: Bool

    /// Makes an object.
    package init(key: UInt64, count: UInt64, touchesBorder: Bool) {
      (self.key, self.count, self.touchesBorder) = (key, count, touchesBorder)
    }
  }

  /// For each voxel its object from 1, 0 for background.
  package var labels: [Int]
  /// The objects in raster order of their first voxels.
  package var components: [Component] = []

  /// Floods object after object.
  ///
  /// - Parameters:
  ///   - mask: For each voxel in C order 0, or the value that voxels of its object have.
  ///   - shape: The volume.
  ///   - order: In how many coordinates two neighbours may differ.
  ///   - part: The voxels that count, and whose outermost ones are the border.
  ///   - hasDepth: Whether the first and the last plane are border.
  package init(_ mask: [UInt8], _ shape: Box.Size, order: Int, in part: Box, hasDepth: Bool) {
    labels = [Int](repeating: 0, count: mask.count)
    let steps = Flood.steps(order)
    for start in mask.indices where mask[start] != 0 && labels[start] == 0 {
      let (z, y, x) = Flood.place(start, shape)
      if !part.contains(z, y, x) { continue }
      var found = Component(key: UInt64(start), count: 0, touchesBorder: false)
      var open = [start]
      labels[start] = components.count + 1
      while let voxel = open.popLast() {
        let (z, y, x) = Flood.place(voxel, shape)
        found.count += 1
        if Flood.isBorder(z, y, x, part, hasDepth) { found.touchesBorder = true }
        for step in steps where part.contains(z + step.z, y + step.y, x + step.x) {
          let next = ((z + step.z) * shape.y + y + step.y) * shape.x + x + step.x
          if mask[next] != mask[start] || labels[next] != 0 { continue }
          labels[next] = components.count + 1
          open.append(next)
        }
      }
      components.append(found)
    }
  }

  private static func place(_ voxel: Int, _ shape: Box.Size) -> (Int, Int, Int) {
    (voxel / shape.x / shape.y, voxel / shape.x % shape.y, voxel % shape.x)
  }

  private static func isBorder(_ z: Int, _ y: Int, _ x: Int, _ part: Box, _ hasDepth: Bool) -> Bool
  {
    (hasDepth && (z == part.low.z || z == part.high.z - 1)) || y == part.low.y
      || y == part.high.y - 1 || x == part.low.x || x == part.high.x - 1
  }

  private static func steps(_ order: Int) -> [Box.Size] {
    var steps: [Box.Size] = []
    for z in -1...1 {
      for y in -1...1 {
        for x in -1...1 where 1...order ~= abs(z) + abs(y) + abs(x) {
          steps.append(Box.Size(z, y, x))
        }
      }
    }
    return steps
  }
}
