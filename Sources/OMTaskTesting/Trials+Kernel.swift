public import OMGrid
import OMJSON
public import OMTask

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
        difference = Difference("one tile gives a result, the trial fails: \(fault)")
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
