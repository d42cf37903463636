/// Masks that are hard to label: each breaks another shortcut.
package enum MaskPattern: String, CaseIterable, Sendable {
  case empty
  case full
  /// Every other voxel, so that neighbours meet at edges only.
  case checkerboard
  /// Voxels that meet at corners only.
  case corners
  /// One path of one voxel's width through every row and every other plane.
  case snake
  /// Teeth that meet in the very last row.
  case comb
  /// One path that winds from the edge of every plane to its middle.
  case spiral
  /// Every tenth voxel or so.
  case sparse
  /// Near the share of voxels at which clusters reach through the whole volume.
  case tangled
  /// Few holes.
  case dense

  /// The mask of a volume, in C order.
  package func voxels(_ shape: Box.Size) -> [UInt8] {
    if self == .spiral { return spirals(shape) }
    var random = SplitMix(seed: 0x0517)
    var voxels: [UInt8] = []
    voxels.reserveCapacity(shape.count)
    for z in 0..<shape.z {
      for y in 0..<shape.y {
        for x in 0..<shape.x {
          voxels.append(isForeground(z, y, x, shape, random.next() % 100) ? 1 : 0)
        }
      }
    }
    return voxels
  }

  private func isForeground(
    _ z: Int, _ y: Int, _ x: Int, _ shape: Box.Size, _ percent: UInt64
  ) -> Bool {
    switch self {
    case .empty, .spiral: false
    case .full: true
    case .checkerboard: (z + y + x) % 2 == 0
    case .corners: z % 2 == y % 2 && y % 2 == x % 2
    case .snake:
      if z % 2 == 1 {
        y == (z % 4 == 1 ? (shape.y - 1) / 2 * 2 : 0) && x == 0
      } else {
        y % 2 == 0 || x == (y % 4 == 1 ? shape.x - 1 : 0)
      }
    case .comb: x % 2 == 0 || (z == shape.z - 1 && y == shape.y - 1)
    case .sparse: percent < 10
    case .tangled: percent < 31
    case .dense: percent < 85
    }
  }

  private func spirals(_ shape: Box.Size) -> [UInt8] {
    var voxels = [UInt8](repeating: 0, count: shape.count)
    // Only every other plane, or one plane's walls would join those of the next.
    for z in stride(from: 0, to: shape.z, by: 2) {
      var (y, x, dy, dx, turns) = (0, 0, 0, 1, 0)
      func taken(_ y: Int, _ x: Int) -> Bool {
        if !(0..<shape.y).contains(y) || !(0..<shape.x).contains(x) { return false }
        return voxels[(z * shape.y + y) * shape.x + x] != 0
      }
      while turns < 2 {
        voxels[(z * shape.y + y) * shape.x + x] = 1
        let inside = (0..<shape.y).contains(y + dy) && (0..<shape.x).contains(x + dx)
        if inside && !taken(y + dy, x + dx) && !taken(y + 2 * dy, x + 2 * dx) {
          (y, x, turns) = (y + dy, x + dx, 0)
        } else {
          (dy, dx, turns) = (dx, -dy, turns + 1)
        }
      }
    }
    return voxels
  }
}

/// Labels that touch each other in every way.
package enum LabelPattern: CaseIterable, Sendable {
  /// Every voxel one of three labels: none of them alone is connected everywhere.
  case noise
  /// Boxes of one label side by side, some of the same one.
  case boxes
  /// Two labels whose voxels meet across edges and corners only.
  case checkerboard
  /// Two paths of one voxel's width that lie side by side.
  case snakes
  /// One label everywhere.
  case full
  /// Every voxel another label than its neighbours.
  case single
  /// Two labels in a mask in which clusters reach through the whole volume.
  case tangled

  /// The labels of a volume, in C order; 0 is background.
  package func voxels(_ shape: Box.Size) -> [UInt8] {
    let masks = (
      snake: MaskPattern.snake.voxels(shape), tangled: MaskPattern.tangled.voxels(shape)
    )
    var random = SplitMix(seed: 0x1abe1)
    var voxels: [UInt8] = []
    for z in 0..<shape.z {
      for y in 0..<shape.y {
        for x in 0..<shape.x {
          let (voxel, chance) = (voxels.count, UInt8(random.next() % 100))
          let label: UInt8 =
            switch self {
            case .noise: chance % 4
            case .boxes: UInt8((z / 3 * 5 + y / 4 * 3 + x / 5 * 7) % 4)
            case .checkerboard: UInt8(1 + (z + y + x) % 2)
            case .snakes: 1 + masks.snake[voxel]
            case .full: 7
            case .single: UInt8(1 + z % 2 * 4 + y % 2 * 2 + x % 2)
            case .tangled: masks.tangled[voxel] * (1 + chance % 2)
            }
          voxels.append(label)
        }
      }
    }
    return voxels
  }
}

/// Random numbers that are the same in every run (Steele, Lea and Flood 2014).
package struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  /// Starts a sequence.
  package init(seed: UInt64) { state = seed }

  /// The next number.
  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
