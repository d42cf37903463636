import OMGrid

/// The planes around one of the output, with what lies beyond the volume around them.
///
/// A ring keeps as many planes as a window has, so that each is put there once.
struct PaddedPlanes<V: Voxel> {
  /// Voxels from row to row of a plane.
  let width: Int
  private let input: Tile<V>
  private let origin: Vector3
  private let height: Int
  let radius: Vector3
  private let border: FilterBorder
  private let ring: UnsafeMutablePointer<V>
  private let holdsKeys: Bool
  private var next: Int

  /// Makes room in piece 0 of the scratch; with `holdsKeys`, bits of `float16` become `HalfKeys`.
  init(
    _ input: Tile<V>, _ output: OutputTile, radius: Vector3, border: FilterBorder,
    holdsKeys: Bool, _ scratch: TileScratch
  ) {
    self.input = input
    self.radius = radius
    self.border = border
    self.holdsKeys = holdsKeys
    origin = output.origin
    width = output.shape.x + 2 * radius.x
    height = output.shape.y + 2 * radius.y
    ring = scratch.room(0, V.self, count: (2 * radius.z + 1) * height * width)
    next = max(0, origin.z - radius.z)
  }

  /// The row of a plane around the one moved to, from the first column of the first window on.
  ///
  /// Rows and planes may lie outside the volume.
  func row(z: Int, y: Int) -> UnsafeMutablePointer<V> {
    let plane = border.inside(z, of: input.volume.z) % (2 * radius.z + 1)
    return ring + (plane * height + y - (origin.y - radius.y)) * width
  }

  /// Puts the planes around a plane of the output into the ring; called with ascending planes.
  mutating func move(to z: Int) {
    while next <= min(z + radius.z, input.volume.z - 1) {
      for y in origin.y - radius.y..<origin.y - radius.y + height { fill(z: next, y: y) }
      next += 1
    }
  }

  private func fill(z: Int, y: Int) {
    let source = input.row(z: z, y: border.inside(y, of: input.volume.y)) - input.origin.x
    let start = origin.x - radius.x
    let target = row(z: z, y: y)
    let low = max(0, start)
    let high = min(input.volume.x, start + width)
    (target + (low - start)).update(from: source + low, count: high - low)
    for x in start..<low { target[x - start] = source[border.inside(x, of: input.volume.x)] }
    for x in high..<start + width {
      target[x - start] = source[border.inside(x, of: input.volume.x)]
    }
    if holdsKeys { HalfKeys.convert(target, count: width) }
  }
}

/// Integers in the order of the `float16` numbers with the same bits.
///
/// Machines without F16C compare such numbers by a call to the C library.
enum HalfKeys {
  /// Turns bits of numbers into integers, and such integers into bits again.
  static func convert<V: Voxel>(_ row: UnsafeMutablePointer<V>, count: Int) {
    precondition(V.dataType == .int16, "keys are int16")
    let bits = UnsafeMutableRawPointer(row).assumingMemoryBound(to: Int16.self)
    for i in 0..<count { bits[i] ^= (bits[i] >> 15) & 0x7fff }
  }
}
