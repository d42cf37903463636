/// The Euler number of objects: pieces minus tunnels plus cavities, or, of flat objects, pieces minus holes.
///
/// An object is taken as the union of its voxels as closed cubes (of all 26 or 8 neighbours), whose Euler
/// number is that of points - edges + faces - cubes. Each of these is shared out evenly to the corners at
/// its ends, so that the number is a sum over the corners between voxels.
enum EulerNumber {
  /// Eight times the share of a corner, by the voxels around it that belong to the object.
  ///
  /// Bit 0 of a code stands for a voxel behind the corner along all axes; bit 1 for the one before it
  /// along y, bit 2 along x and bit 4 along z, and the other bits for the sums of these.
  static let shares: [Int8] = (0..<256).map { share(of: $0) }

  private static func share(of code: Int) -> Int8 {
    func has(_ voxel: Int) -> Bool { code >> voxel & 1 == 1 }
    // Voxels that differ along one axis are neighbours: places of bits differ by 1, 2 or 4.
    let axes = [1, 2, 4]
    var share = code == 0 ? 0 : 8
    for axis in axes {
      for side in [0, axis] where (0..<8).contains(where: { $0 & axis == side && has($0) }) {
        share -= 4
      }
      for voxel in 0..<8 where voxel & axis == 0 && (has(voxel) || has(voxel | axis)) { share += 2 }
    }
    return Int8(share - code.nonzeroBitCount)
  }
}

extension ObjectSums {
  /// Adds a corner between voxels to an object.
  ///
  /// - Parameters:
  ///   - code: Which of the voxels around it belong to the object, as `EulerNumber.shares` has them.
  ///   - isFlat: Whether the code is one of a plane, without what lies before it.
  ///   - slot: The place of the object.
  @inline(__always)
  mutating func add(corner code: Int, isFlat: Bool, to slot: Int) {
    if layout.need.euler {
      // Flat objects have the same corners once more behind their plane.
      let share = Int(EulerNumber.shares[code])
      add(isFlat ? 2 * share : share, to: layout.euler, of: slot)
    }
    // Corners amid an object are never told of.
    if layout.need.contours { add(1, to: layout.patterns + code - 1, of: slot) }
  }
}

extension MeasuredObjects {
  /// The Euler number of each object: pieces minus tunnels plus cavities, of flat objects pieces minus
  /// holes; voxels of an object that touch in a corner are joined there.
  ///
  /// - Precondition: Euler numbers were added up.
  public var eulerColumns: [TableColumn] {
    let numbers = order.map { Int64(word($0, sums.layout.euler)) / 8 }
    return [TableColumn("euler_number", .int64(numbers))]
  }
}
