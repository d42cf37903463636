import OMCodecs
import OMGrid
import OMTask
import OMZarr

/// Makes the voxels of a region of a derived image by its kernels.
struct TilePass: Sendable {
  let plan: DerivedPlan

  /// Reads a region with its halo, volume by volume, and writes what the kernels make of it.
  ///
  /// - Returns: The voxels that the kernels counted.
  /// - Throws: What reading, the kernel and writing throws.
  func run(_ region: Region, into writer: PyramidWriter, _ worker: Worker) throws -> Int {
    let byteCount = writer.layouts[0].dataType.byteCount
    guard let selected = plan.sourceBox(of: region) else {
      try writer.take(region, nil, worker)
      return 0
    }
    worker.scratch.counted = 0
    let room = worker.made.replace(byteCount: region.count * byteCount)
    guard let made = room.baseAddress else { throw plan.noMemory(region) }
    // What is not selected, and what hangs over, keeps the fill value.
    if selected != region || plan.selection.boxes != nil {
      room.initializeMemory(as: UInt8.self, repeating: 0)
    }
    // Where boxes overlap, the same voxels are made twice.
    for box in plan.selection.parts(of: selected) {
      try forEachVolume(of: box) { volume, channel in
        let target = VoxelBox(region: region, start: made, elementByteCount: byteCount)
        try make(volume, channel, target, isWhole: volume == region, made, worker)
      }
    }
    try writer.take(region, made, worker)
    return worker.scratch.counted
  }

  /// Calls a function for the part of a box in every (t, c) volume, with the channel.
  private func forEachVolume(
    of box: Region, _ body: (Region, Int) throws -> Void
  ) rethrows {
    let leading = box.rank - plan.axes.space.count
    var volumes = box
    for axis in leading..<box.rank { volumes.shape[axis] = 1 }
    try forEachPosition(in: volumes) { position in
      var volume = box
      for axis in 0..<leading { (volume.origin[axis], volume.shape[axis]) = (position[axis], 1) }
      try body(volume, plan.axes.channel.map { position[$0] } ?? 0)
    }
  }

  private func make(
    _ volume: Region, _ channel: Int, _ target: VoxelBox, isWhole: Bool,
    _ made: UnsafeMutableRawPointer, _ worker: Worker
  ) throws {
    let type = plan.recipe.dataType
    let work = TileWork(source: plan.source, axes: plan.axes, damage: plan.damage)
    // A volume that is the whole region is made in place.
    if isWhole { return try work.make(volume, plan.kernels[channel], type, into: made, worker) }
    let part = worker.part.replace(byteCount: volume.count * type.byteCount)
    guard let start = part.baseAddress else { throw plan.noMemory(volume) }
    try work.make(volume, plan.kernels[channel], type, into: start, worker)
    target.copy(from: start, volume)
  }
}
