import OMGrid
import OMJSON
import OMRun
import OMStore
public import OMTask
import Synchronization

extension SampleImage {
  /// What a kernel makes of the sample, volume by volume in one piece each.
  ///
  /// - Parameters:
  ///   - kernel: The kernel.
  ///   - type: The type of what it makes.
  /// - Returns: The voxels in C order.
  /// - Throws: What the kernel throws.
  public func made<V: Voxel>(by kernel: some TileKernel, as type: V.Type) throws -> [V] {
    try (0..<volumeCount).flatMap { number -> [V] in
      let trial = KernelTrial(
        kernel: kernel, voxels: volumeBytes(number), dataType: dataType, volume: volume,
        making: V.dataType)
      let bytes = try trial.made(KernelTrial.Cut(wholeOf: volume), junk: 0)
      return bytes.withUnsafeBytes { buffer in
        (0..<bytes.count / MemoryLayout<V>.stride).map {
          buffer.loadUnaligned(fromByteOffset: $0 * MemoryLayout<V>.stride, as: V.self)
        }
      }
    }
  }
}

/// A kernel at work on one volume, cut in some way.
struct KernelTrial {
  let kernel: any TileKernel
  let voxels: [UInt8]
  let dataType: DataType
  let volume: Vector3
  let making: DataType

  /// How a volume is cut into boxes, and in which order and on how many threads they are made.
  struct Cut {
    var boxes: [Region]
    var threads: Int

    init(wholeOf volume: Vector3) {
      boxes = [Region(wholeOf: [volume.z, volume.y, volume.x])]
      threads = 1
    }

    init(of volume: Vector3, _ reach: TileReach, _ random: inout TrialRandom) {
      let whole = [volume.z, volume.y, volume.x]
      let free = reach == .any ? 3 : reach == .plane ? 1 : 0
      let cuts = whole.enumerated().map { axis, size -> [Range<Int>] in
        if axis >= free { return [0..<size] }
        var places = Set([0, size])
        for _ in 0..<random.below(5) { places.insert(random.below(size)) }
        let sorted = places.sorted()
        return zip(sorted, sorted.dropFirst()).map { $0..<$1 }
      }
      var boxes: [Region] = []
      forEachPosition(in: Region(wholeOf: cuts.map(\.count))) { position in
        let ranges = position.indices.map { cuts[$0][position[$0]] }
        boxes.append(Region(origin: ranges.map(\.lowerBound), shape: ranges.map(\.count)))
      }
      self.boxes = random.order(boxes.count).map { boxes[$0] }
      threads = random.within(1...4)
    }

    var text: String {
      if boxes.count == 1 { return "one box" }
      let sides = (0..<3).map { axis in
        Set(boxes.flatMap { [$0.origin[axis], $0.end(axis)] }).sorted().map(String.init)
          .joined(separator: " ")
      }
      return "\(boxes.count) boxes that end at z \(sides[0]); y \(sides[1]); x \(sides[2]), on "
        + "\(threads) \(threads == 1 ? "thread" : "threads")"
    }
  }

  /// What the kernel makes of the boxes of a cut.
  ///
  /// - Parameters:
  ///   - cut: The boxes.
  ///   - junk: What a tile holds before it is written.
  /// - Returns: The voxels of the volume.
  /// - Throws: What the kernel throws; a difference when it writes beside its tile.
  func made(_ cut: Cut, junk: UInt8) throws -> [UInt8] {
    let result = Mutex(
      [UInt8](repeating: 0, count: volume.z * volume.y * volume.x * making.byteCount))
    let failure = Mutex<(any Error)?>(nil)
    let next = Mutex(0)
    inParallel(min(cut.threads, cut.boxes.count)) { _ in
      let scratch = TileScratch()
      while failure.withLock({ $0 == nil }) {
        let number = next.withLock { next in
          defer { next += 1 }
          return next
        }
        if number >= cut.boxes.count { return }
        do {
          let tile = try make(cut.boxes[number], scratch, junk)
          result.withLock { put(tile, cut.boxes[number], into: &$0) }
        } catch {
          failure.withLock { if $0 == nil { $0 = error } }
        }
      }
    }
    if let error = failure.withLock({ $0 }) { throw error }
    return result.withLock { $0 }
  }

  /// Bytes around tiles, in which nobody may look or write.
  private static let guardBytes = 256

  private func make(_ box: Region, _ scratch: TileScratch, _ junk: UInt8) throws -> [UInt8] {
    let tile = grown(box)
    let margin = [UInt8](repeating: junk, count: Self.guardBytes)
    let input = margin + part(tile) + margin
    let count = box.count * making.byteCount
    var output = margin + [UInt8](repeating: junk &+ 7, count: count) + margin
    let origin = { (box: Region) in Vector3(box.origin[0], box.origin[1], box.origin[2]) }
    let shape = { (box: Region) in Vector3(box.shape[0], box.shape[1], box.shape[2]) }
    try input.withUnsafeBytes { input in
      try output.withUnsafeMutableBytes { output in
        guard let from = input.baseAddress, let to = output.baseAddress else { return }
        try kernel.apply(
          dataType, from + Self.guardBytes, origin: origin(tile), shape: shape(tile),
          volume: volume,
          OutputTile(
            start: to + Self.guardBytes, dataType: making, origin: origin(box), shape: shape(box)),
          scratch: scratch)
      }
    }
    if Array(output.prefix(Self.guardBytes)) != margin
      || Array(output.suffix(Self.guardBytes)) != margin
    {
      throw Difference("the kernel writes beside its tile, \(box) of z, y, x")
    }
    return Array(output[Self.guardBytes..<Self.guardBytes + count])
  }

  /// A box with the halo of the kernel, cut to the volume.
  private func grown(_ box: Region) -> Region {
    var grown = box
    let sizes = [volume.z, volume.y, volume.x]
    for (axis, depth) in [kernel.halo.z, kernel.halo.y, kernel.halo.x].enumerated() {
      grown.origin[axis] = max(0, box.origin[axis] - depth)
      grown.shape[axis] = min(sizes[axis], box.end(axis) + depth) - grown.origin[axis]
    }
    return grown
  }

  private func part(_ box: Region) -> [UInt8] {
    var part: [UInt8] = []
    let size = dataType.byteCount
    part.reserveCapacity(box.count * size)
    forEachRow(box) { offset, count in part += voxels[offset * size..<(offset + count) * size] }
    return part
  }

  private func put(_ tile: [UInt8], _ box: Region, into result: inout [UInt8]) {
    let size = making.byteCount
    var place = 0
    forEachRow(box) { offset, count in
      result.replaceSubrange(
        offset * size..<(offset + count) * size, with: tile[place..<place + count * size])
      place += count * size
    }
  }

  /// Calls a function with the number of the first voxel of each row of a box, and its length.
  private func forEachRow(_ box: Region, _ body: (Int, Int) -> Void) {
    for z in box.origin[0]..<box.end(0) {
      for y in box.origin[1]..<box.end(1) {
        body((z * volume.y + y) * volume.x + box.origin[2], box.shape[2])
      }
    }
  }

  /// The first voxel that differs.
  func difference(
    _ reference: [UInt8], _ found: [UInt8], _ sample: SampleImage, _ number: Int
  ) -> Difference? {
    guard let voxel = firstDifference(reference, found, size: making.byteCount) else { return nil }
    let space = sample.axes.suffix(sample.axes.count - sample.leadingAxes)
    let inVolume = [
      voxel / (volume.y * volume.x), voxel / volume.x % volume.y, voxel % volume.x,
    ].suffix(space.count)
    let position = sample.leadingPosition(number) + inVolume
    return Difference(
      of: "the tile",
      place: zip(sample.axes, position).map { Difference.Place(axis: $0, index: $1) },
      expected: text(reference, voxel, making), found: text(found, voxel, making))
  }
}
