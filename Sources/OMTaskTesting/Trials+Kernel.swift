public import OMGrid
import OMJSON
import OMRun
public import OMTask
import Synchronization

extension Trials {
  /// Checks a kernel by itself, in memory.
  ///
  /// The volume is cut into random boxes; each is given with its halo, and nothing else. What a tile
  /// holds before it is written differs from round to round, so voxels that are left out show, too.
  ///
  /// - Parameters:
  ///   - kernel: The kernel.
  ///   - sample: What it computes of, volume by volume.
  ///   - making: The type of what it makes; nil takes that of the sample.
  /// - Returns: What was tried.
  /// - Throws: A ``Difference``; a fault of what the kernel says to a whole volume.
  @discardableResult
  public func check(
    _ kernel: some TileKernel, on sample: SampleImage, making: DataType? = nil
  ) throws -> TrialSummary {
    var summary = TrialSummary()
    for round in 0..<rounds {
      var random = TrialRandom(seed: UInt64(bitPattern: Int64(seed + round)))
      let part = try partOf(sample, round: round, &random)
      let volume = random.below(part.volumeCount)
      let trial = KernelTrial(
        kernel: kernel, voxels: part.volumeBytes(volume), dataType: part.dataType,
        volume: part.volume, making: making ?? part.dataType)
      let whole = KernelTrial.Cut(wholeOf: part.volume)
      let reference = try trial.made(whole, junk: 0x55)
      let cut = KernelTrial.Cut(of: part.volume, kernel.reach, &random)
      var difference: Difference?
      do {
        difference = trial.difference(
          reference, try trial.made(cut, junk: UInt8(1 + random.below(80))), part, volume)
      } catch let found as Difference {
        difference = found
      } catch let fault as Fault {
        difference = Difference("the reference is made, the trial fails: \(fault)")
      }
      if var difference {
        difference.sample = part.text
        difference.reference = whole.text
        difference.trial = cut.text
        difference.seed = seed + round
        throw difference
      }
      summary.add(part, regions: cut.boxes.count)
    }
    return summary
  }

  /// Checks a kernel that makes masks: rows of any length must give what the whole gives.
  @discardableResult
  public func check(_ kernel: some MaskKernel, on sample: SampleImage) throws -> TrialSummary {
    var summary = TrialSummary()
    for round in 0..<rounds {
      var random = TrialRandom(seed: UInt64(bitPattern: Int64(seed + round)))
      let part = try partOf(sample, round: round, &random)
      let count = part.shape.reduce(1, *)
      var reference = [UInt8](repeating: 0x55, count: count)
      var found = [UInt8](repeating: 0xaa, count: count)
      var rows: [Range<Int>] = []
      while (rows.last?.upperBound ?? 0) < count {
        let start = rows.last?.upperBound ?? 0
        rows.append(start..<min(count, start + random.within(1...max(1, count / 5))))
      }
      let size = part.dataType.byteCount
      part.bytes.withUnsafeBytes { voxels in
        guard let start = voxels.baseAddress else { return }
        reference.withUnsafeMutableBufferPointer { mask in
          guard let mask = mask.baseAddress else { return }
          kernel.mask(part.dataType, raw: start, into: mask, count: count)
        }
        found.withUnsafeMutableBufferPointer { mask in
          guard let mask = mask.baseAddress else { return }
          for row in random.order(rows.count).map({ rows[$0] }) {
            kernel.mask(
              part.dataType, raw: start + row.lowerBound * size, into: mask + row.lowerBound,
              count: row.count)
          }
        }
      }
      if let voxel = firstDifference(reference, found, size: 1) {
        let position = ChunkGrid(
          arrayShape: part.shape, cellShape: part.shape.map { _ in 1 }
        ).position(of: voxel)
        var difference = Difference(
          of: "the mask",
          place: zip(part.axes, position).map { Difference.Place(axis: $0, index: $1) },
          expected: "\(reference[voxel])", found: "\(found[voxel])")
        difference.sample = part.text
        difference.trial = "\(rows.count) rows"
        difference.seed = seed + round
        throw difference
      }
      summary.add(part, regions: rows.count)
    }
    return summary
  }

  /// The part of a sample that a round looks at, in one of the types.
  private func partOf(
    _ sample: SampleImage, round: Int, _ random: inout TrialRandom
  ) throws -> SampleImage {
    let types = dataTypes ?? []
    return try TrialCase((seed + round) / TrialCase.rounds, of: sample, types).sample(of: sample)
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
