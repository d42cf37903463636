import OMCodecs
import OMGrid
import OMJSON
import OMTask
import OMZarr

/// Lets a kernel make the voxels of a box of one volume, of the voxels of that box and its halo.
struct TileWork {
  let source: ZarrArray
  let axes: ImageAxes
  /// Takes damaged chunks of the source; nil makes them faults.
  let damage: DamageLog?

  /// Reads a box with its halo and makes its voxels.
  ///
  /// - Parameters:
  ///   - volume: A box of the source that lies in one (t, c) volume.
  ///   - kernel: The kernel.
  ///   - dataType: The type of the voxels to make.
  ///   - target: Room for them in C order.
  ///   - worker: The worker at hand; its `voxels` and `scratch` are used.
  ///   - withHalo: Whether the halo is made too.
  /// - Throws: What reading and the kernel throws; a fault of the kernel names array and volume.
  func make(
    _ volume: Region, _ kernel: any TileKernel, _ dataType: DataType,
    into target: UnsafeMutableRawPointer, _ worker: Worker, withHalo: Bool = false
  ) throws {
    try read(volume, halo: kernel.halo, worker) { (tile, voxels) throws(Fault) -> Void in
      let made = withHalo ? tile : volume
      let output = OutputTile(
        start: target, dataType: dataType, origin: axes.position(made.origin),
        shape: axes.vector(made.shape))
      try kernel.apply(
        source.metadata.dataType, voxels, origin: axes.position(tile.origin),
        shape: axes.vector(tile.shape), volume: axes.vector(source.metadata.shape), output,
        scratch: worker.scratch)
    }
  }

  /// Reads a box with its halo, and hands it on.
  ///
  /// - Parameters:
  ///   - volume: A box of the source that lies in one (t, c) volume.
  ///   - halo: How much is read around it, along z, y and x.
  ///   - worker: The worker at hand; its `voxels` are used.
  ///   - body: Gets the box that was read and its voxels.
  /// - Returns: What the body makes of it.
  /// - Throws: What reading and the body throws; a fault of the body names array and volume.
  func read<Made>(
    _ volume: Region, halo: Vector3, _ worker: Worker,
    _ body: (Region, UnsafeRawPointer) throws(Fault) -> Made
  ) throws -> Made {
    let metadata = source.metadata
    let tile = axes.grown(volume, by: halo, within: metadata.shape)
    let input = worker.voxels.replace(byteCount: tile.count * metadata.dataType.byteCount)
    guard let voxels = input.baseAddress else {
      throw Fault(.internal, source.path, "there is no memory for \(tile)")
    }
    try worker.reader(of: source, damage: damage).read(tile, into: voxels)
    do throws(Fault) {
      return try body(tile, voxels)
    } catch {
      throw naming(error, volume)
    }
  }

  /// A fault of a kernel with the place it is about: kernels know of one volume only.
  private func naming(_ fault: Fault, _ volume: Region) -> Fault {
    var fault = fault
    if fault.subject.isEmpty { fault.subject = source.path }
    let place = [("t", axes.time), ("c", axes.channel)].compactMap { letter, axis in
      axis.map { "\(letter) = \(volume.origin[$0])" }
    }
    if !place.isEmpty { fault.facts.append("in the volume " + place.joined(separator: ", ")) }
    return fault
  }
}

extension ImageAxes {
  /// The place along z, y and x of a position; 0 where there is no z.
  func position(_ origin: [Int]) -> Vector3 {
    Vector3(
      space.count == 3 ? origin[space[0]] : 0, origin[space[space.count - 2]],
      origin[space[space.count - 1]])
  }

  /// A box with a halo on all sides in space, cut to the image.
  func grown(_ box: Region, by halo: Vector3, within shape: [Int]) -> Region {
    grown(box, by: halo, within: Region(wholeOf: shape))
  }

  /// A box with a halo on all sides in space, cut to another box that holds it.
  func grown(_ box: Region, by halo: Vector3, within bounds: Region) -> Region {
    grown(box, before: halo, behind: halo, within: bounds)
  }

  /// A box with other depths before and behind it in space, cut to another box that holds it.
  func grown(
    _ box: Region, before: Vector3, behind: Vector3, within bounds: Region
  ) -> Region {
    let depths = [(before.x, behind.x), (before.y, behind.y), (before.z, behind.z)]
    var grown = box
    for (axis, depth) in zip(space.reversed(), depths) {
      let low = max(bounds.origin[axis], box.origin[axis] - depth.0)
      grown.origin[axis] = low
      grown.shape[axis] = min(bounds.end(axis), box.end(axis) + depth.1) - low
    }
    return grown
  }

  /// The shape of the largest box that a region with this halo can be.
  func largest(_ cell: [Int], halo: Vector3, within shape: [Int]) -> [Int] {
    largest(cell, before: halo, behind: halo, within: shape)
  }

  /// The shape of the largest box that a region with other depths before and behind it can be.
  func largest(
    _ cell: [Int], before: Vector3, behind: Vector3, within shape: [Int]
  ) -> [Int] {
    let depths = [before.x + behind.x, before.y + behind.y, before.z + behind.z]
    var tile = zip(cell, shape).map { min($0, $1) }
    for (axis, depth) in zip(space.reversed(), depths) {
      tile[axis] = min(tile[axis] + depth, shape[axis])
    }
    return tile
  }
}
