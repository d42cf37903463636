import OMCodecs
import OMGrid
import OMJSON
import OMTask
import OMZarr

/// The pass of a table: the sums of the objects in a region, by runs of labels.
///
/// Each chunk of labels gives its runs, and only where there are any the voxels of the image are read.
struct MeasurePass: Sendable {
  let plan: TablePlan
  /// Bytes that the sums of a region may take.
  let limit: Int

  /// Measures one region.
  func run(_ region: Region, _ worker: Worker) throws -> ObjectSums {
    var sums = ObjectSums(plan.layout)
    sums.regions = 1
    guard let box = region.intersection(plan.selection) else { return sums }
    let labels = worker.reader(of: plan.source, damage: plan.damage)
    if plan.looksAround {
      // Shapes and voxels are measured block by block all the same, so that no more is kept of each.
      try forEachBlock(of: box, plan.spanShape) { span in
        let held = plan.surrounded(span)
        let start = try read(held, labels, worker)
        try forEachBlock(of: span, plan.blockShape) { part in
          try measure(part, start, held, &sums, worker)
        }
      }
    } else if plan.readsChunks {
      try labels.visit(box) { chunk in
        if chunk.voxels == nil && plan.labelFillIsZero { return }
        guard let part = chunk.region.intersection(box) else { return }
        try measure(part, chunk.voxels ?? filled(chunk.region, worker), chunk.region, &sums, worker)
      }
    } else {
      try forEachBlock(of: box, plan.blockShape) { part in
        try measure(part, try read(part, labels, worker), part, &sums, worker)
      }
    }
    sums.counts.settle()
    return sums
  }

  /// Cuts a box by a grid over the label image.
  private func forEachBlock(
    of box: Region, _ shape: [Int], _ body: (Region) throws -> Void
  ) throws {
    let grid = ChunkGrid(arrayShape: plan.shape, cellShape: shape)
    try forEachPosition(in: grid.cells(touching: box)) { position in
      if let part = grid.region(at: position).intersection(box) { try body(part) }
    }
  }

  /// Reads labels into memory of the worker.
  private func read(
    _ box: Region, _ labels: ChunkReader, _ worker: Worker
  ) throws -> UnsafeRawPointer {
    let size = plan.source.metadata.dataType.byteCount
    let memory = worker.voxels.replace(byteCount: box.shape.reduce(size, *))
    guard let start = memory.baseAddress else {
      throw Fault(.internal, plan.source.path, "there is no memory for \(box)")
    }
    try labels.read(box, into: start)
    return UnsafeRawPointer(start)
  }

  /// A chunk of labels that is not stored, where those are no background.
  private func filled(_ region: Region, _ worker: Worker) throws(Fault) -> UnsafeRawPointer {
    let metadata = plan.source.metadata
    let memory = worker.voxels.replace(
      byteCount: region.shape.reduce(metadata.dataType.byteCount, *))
    guard let start = memory.baseAddress else {
      throw Fault(.internal, plan.source.path, "there is no memory for \(region)")
    }
    VoxelBox(region: region, start: start, elementByteCount: metadata.dataType.byteCount)
      .fill(region, with: metadata.fillValue)
    return UnsafeRawPointer(start)
  }

  /// Measures a part of a chunk, or of another box of labels in memory.
  private func measure(
    _ part: Region, _ labels: UnsafeRawPointer, _ chunk: Region, _ sums: inout ObjectSums,
    _ worker: Worker
  ) throws {
    let type = plan.source.metadata.dataType
    let time = plan.axes.time
    let times = time.map { part.origin[$0]..<part.end($0) } ?? 0..<1
    var runs: [[ObjectRun]] = []
    for t in times {
      var found: [ObjectRun] = []
      let place = VolumeInChunk(plan.axes, chunk, part, time: t, channel: nil)
      let start = labels + place.offset * type.byteCount
      let row = plan.recipe.splitsTime ? UInt32(truncatingIfNeeded: t) : 0
      guard sums.findRuns(type, start, place.box, time: row, into: &found) else {
        throw Fault(.unsupported, plan.source.path, "labels of type \(type.rawValue) are no labels")
      }
      sums.add(found, time: t, volume: plan.axes.vector(plan.shape))
      if plan.looksAround {
        let all = VolumeInChunk(plan.axes, chunk, chunk, time: t, channel: nil)
        let surrounded = SurroundedLabels(
          labels + all.offset * type.byteCount, all.box,
          core: BoxCorners(origin: place.box.origin, shape: place.box.shape),
          whole: plan.corners, isFlat: plan.space.isFlat)
        _ = sums.addShapes(type, surrounded, time: row)
      }
      runs.append(found)
    }
    try check(&sums)
    guard let image = plan.image, runs.contains(where: { !$0.isEmpty }) else { return }
    for channels in plan.channelGroups {
      try visit(image, part, channels, worker) { place, voxels, t, channel in
        let known = runs[t - times.lowerBound]
        if known.isEmpty { return }
        if let bad = sums.add(known, channel: channel, voxels, place) {
          throw plan.notFinite(bad, time: t, channel: plan.recipe.channels[channel])
        }
      }
    }
    try check(&sums)
  }

  /// Visits the voxels of some channels in a box of labels, chunk by chunk and volume by volume.
  private func visit(
    _ image: ZarrArray, _ part: Region, _ channels: ClosedRange<Int>, _ worker: Worker,
    _ body: (RowBox, UnsafeRawPointer, Int, Int) throws -> Void
  ) throws {
    let axes = plan.imageAxes
    let chosen = plan.recipe.channels
    var box = part
    if let axis = axes.channel {
      box.origin.insert(channels.lowerBound, at: axis)
      box.shape.insert(channels.count, at: axis)
    }
    let metadata = image.metadata
    try worker.reader(of: image, damage: plan.damage).visit(box) { chunk in
      guard let shared = chunk.region.intersection(box) else { return }
      let voxels = try chunk.voxels ?? fill(chunk.region, metadata, worker)
      for t in axes.time.map({ shared.origin[$0]..<shared.end($0) }) ?? 0..<1 {
        for (number, channel) in chosen.enumerated()
        where axes.channel.map({ shared.origin[$0]..<shared.end($0) ~= channel }) ?? true {
          let place = VolumeInChunk(axes, chunk.region, shared, time: t, channel: channel)
          let start = voxels + place.offset * metadata.dataType.byteCount
          try body(place.box, start, t, number)
        }
      }
    }
  }

  private func fill(
    _ region: Region, _ metadata: ArrayMetadata, _ worker: Worker
  ) throws(Fault) -> UnsafeRawPointer {
    let size = metadata.dataType.byteCount
    let memory = worker.part.replace(byteCount: region.shape.reduce(size, *))
    guard let start = memory.baseAddress else {
      throw Fault(.internal, plan.name, "there is no memory for \(region)")
    }
    VoxelBox(region: region, start: start, elementByteCount: size)
      .fill(region, with: metadata.fillValue)
    return UnsafeRawPointer(start)
  }

  private func check(_ sums: inout ObjectSums) throws(Fault) {
    // Voxels that were just found take room until they are counted.
    if sums.byteCount > limit { sums.counts.settle() }
    if sums.byteCount > limit { throw plan.tooManyObjects(sums.count, limit) }
  }
}

/// Where the voxels of one volume lie in a chunk.
private struct VolumeInChunk {
  /// Elements from the first voxel of the chunk to that of the box.
  let offset: Int
  let box: RowBox

  /// - Parameters:
  ///   - axes: The axes of the array.
  ///   - chunk: The box of the whole chunk.
  ///   - part: The voxels of it that count.
  ///   - time: The time point.
  ///   - channel: The channel.
  init(_ axes: ImageAxes, _ chunk: Region, _ part: Region, time: Int, channel: Int?) {
    let strides = rowMajorStrides(chunk.shape)
    var origin = part.origin
    if let axis = axes.time { origin[axis] = time }
    if let axis = axes.channel, let channel { origin[axis] = channel }
    offset = zip(zip(origin, chunk.origin), strides).reduce(0) { $0 + ($1.0.0 - $1.0.1) * $1.1 }
    let space = axes.space.map { strides[$0] }
    box = RowBox(
      origin: axes.position(part.origin), shape: axes.vector(part.shape),
      strides: (row: space[space.count - 2], plane: space.count == 3 ? space[0] : 0))
  }
}

extension TablePlan {
  /// The selected voxels of a volume.
  fileprivate var corners: BoxCorners {
    BoxCorners(origin: axes.position(selection.origin), shape: axes.vector(selection.shape))
  }

  /// Whether labels that are not stored are background.
  var labelFillIsZero: Bool { source.metadata.fillValue.allSatisfy { $0 == 0 } }

  /// The chosen channels, those that share chunks together.
  var channelGroups: [ClosedRange<Int>] {
    guard let image, let axis = imageAxes.channel else {
      return recipe.channels.isEmpty ? [] : [0...0]
    }
    let depth = image.metadata.innerChunkShape[axis]
    let groups = Dictionary(grouping: recipe.channels) { $0 / depth }
    return groups.sorted { $0.key < $1.key }.compactMap { _, channels in
      guard let low = channels.min(), let high = channels.max() else { return nil }
      return low...high
    }
  }

  func notFinite(_ place: Vector3, time: Int, channel: Int) -> Fault {
    var position = imageAxes.space.count == 3 ? [place.z, place.y, place.x] : [place.y, place.x]
    if imageAxes.channel != nil { position.insert(channel, at: 0) }
    if imageAxes.time != nil { position.insert(time, at: 0) }
    return Fault(
      .task, image?.path ?? "",
      "voxel \(position.map(String.init).joined(separator: ", ")) is not a finite number",
      facts: ["indices are in the order of the axes; the voxel belongs to an object"],
      hint: "replace NaN and infinities before measuring, or choose another channel")
  }

  func tooManyObjects(_ count: Int, _ limit: Int) -> Fault {
    Fault(
      .limit, "--memory",
      "the sums of \(count) objects take more than the \(limit >> 20) MiB there are for them",
      facts: ["each object takes \(layout.stride * 8) bytes for \(layout.channels) channels"]
        + (recipe.sums.counts ? ["each value that occurs in an object and channel 16 bytes"] : []),
      hint: "give more with --memory, or measure fewer features or channels at once")
  }
}
