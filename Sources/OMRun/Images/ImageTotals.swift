import OMGrid
import OMJSON
import OMTask
import OMZarr

// What all label images need at their end: coarser levels, and totals over the ranks.

extension ImageRun {
  func makeWriter(_ index: Int, _ type: DataType) throws -> PyramidWriter {
    let plan = setup.plans[index]
    let layouts = try plan.layouts(type)
    guard let committer, let checkpoint else {
      throw Fault(.internal, "", "nothing takes what is made")
    }
    let (image, first) = setup.place(index)
    return PyramidWriter(
      layouts: layouts, ratios: plan.ratios, downsampling: plan.downsampling,
      finished: finishedUnits(index, levels: layouts.count)
    ) { level, unit, bytes throws(Fault) in
      if let bytes {
        try committer.publish(
          label: image, level: first + level, key: layouts[level].unitKey(unit), bytes: bytes)
      }
      let number = layouts[level].unitGrid.number(at: unit)
      checkpoint.published(UnitPlace(plan: index, level: level, number: number), bytes)
    }
  }

  /// The write units of a label image that need not be made again, level by level.
  func finishedUnits(_ index: Int, levels: Int) -> [Set<Int>] {
    guard let past = checkpoint?.past, !past.units.isEmpty else { return [] }
    var finished = [Set<Int>](repeating: [], count: levels)
    for place in past.units.keys where place.plan == index && place.level > 0 {
      if place.level < levels { finished[place.level].insert(place.number) }
    }
    // A piece that is not done brings all its units of the finest level again.
    for work in past.pieces.keys where pieces[work.piece].plan == index {
      for unit in setup.plans[index].units(of: pieces[work.piece]) { finished[0].insert(unit) }
    }
    return finished
  }

  func completeLevels(_ writers: [Int: PyramidWriter]) throws {
    guard let committer, let checkpoint else { return }
    for (index, writer) in writers.sorted(by: { $0.key < $1.key }) {
      let (image, first) = setup.place(index)
      var completion = LevelCompletion(writer: writer, engine: engine) { level in
        try committer.staged(label: image, level: first + level, layout: writer.layouts[level])
      }
      completion.unitIsDone = { try checkpoint.flush() }
      try completion.run()
    }
  }

  /// Makes sure that every piece of some label images was done once by somebody.
  ///
  /// *Collective*.
  func checkCoverage(_ pass: ImagePass, of plans: [Int]) throws(Fault) {
    guard let checkpoint else { return }
    let wanted = pieces.indices.filter { plans.contains(pieces[$0].plan) }
    var times = [Int](repeating: 0, count: pieces.count)
    for piece in wanted where checkpoint.isDone(pass, piece) { times[piece] += 1 }
    var packet = Packet()
    packet.write(checkpoint.pieces.map { UInt64($0) })
    for bytes in try engine.communicator.gatherAll(packet.bytes) {
      var reader = PacketReader(bytes)
      for piece in try reader.readArray(UInt64.self) { times[Int(piece)] += 1 }
    }
    if let piece = wanted.first(where: { times[$0] != 1 }) {
      throw Fault(
        .internal, setup.plans[pieces[piece].plan].name,
        "region \(pieces[piece].region.origin) was written \(times[piece]) times, expected once")
    }
  }

  /// Sums over all ranks.
  func summed(_ values: [Int]) throws(Fault) -> [Int] {
    var packet = Packet()
    packet.write(values.map { Int64($0) })
    var totals = [Int](repeating: 0, count: values.count)
    for bytes in try engine.communicator.gatherAll(packet.bytes) {
      var reader = PacketReader(bytes)
      for (index, value) in try reader.readArray(Int64.self).enumerated() {
        totals[index] += Int(value)
      }
    }
    return totals
  }

  /// Sums over all ranks.
  func summed(_ counts: [VoxelCounts]) throws(Fault) -> [VoxelCounts] {
    let totals = try summed(counts.flatMap { [$0.processed, $0.foreground] })
    return counts.indices.map {
      VoxelCounts(processed: totals[2 * $0], foreground: totals[2 * $0 + 1])
    }
  }

  /// The thresholds of all ranks, where regions chose for themselves.
  func gathered(
    _ choices: [Choices?], _ found: [Choices?]
  ) throws(Fault) -> [(thresholds: [ScopeThreshold], constant: Bool)] {
    var result: [(thresholds: [ScopeThreshold], constant: Bool)] = []
    for index in setup.labels.indices {
      if let known = choices[index] {
        result.append((known.thresholds, known.hasConstantScope))
        continue
      }
      var packet = Packet()
      packet.write(found[index]?.hasConstantScope ?? false)
      for (number, choice) in found[index]?.known ?? [:] {
        guard let threshold = choice.threshold else { continue }
        packet.write(UInt64(number))
        packet.write(threshold)
      }
      var all: [(number: Int, value: Double)] = []
      var constant = false
      for bytes in try engine.communicator.gatherAll(packet.bytes) {
        var reader = PacketReader(bytes)
        constant = try reader.read(Bool.self) || constant
        while !reader.isAtEnd {
          all.append((Int(try reader.read(UInt64.self)), try reader.read(Double.self)))
        }
      }
      let scopes = Scopes(setup.labels[index])
      let thresholds = all.sorted { $0.number < $1.number }.map {
        ScopeThreshold(scope: scopes.name($0.number), value: $0.value)
      }
      result.append((thresholds, constant))
    }
    return result
  }
}
