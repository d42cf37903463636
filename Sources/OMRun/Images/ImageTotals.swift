import OMGrid
import OMJSON
import OMTask
import OMZarr

// What all label images need at their end: coarser levels, and totals over the ranks.

extension ImageRun {
  func makeWriter(_ index: Int, _ type: DataType) throws -> PyramidWriter {
    let plan = setup.plans[index]
    let layouts = try plan.layouts(type)
    guard let committer else { throw Fault(.internal, "", "nothing takes what is made") }
    return PyramidWriter(
      layouts: layouts, ratios: plan.ratios, downsampling: plan.recipe.downsampling
    ) { level, unit, bytes throws(Fault) in
      try committer.publish(
        label: index, level: level, key: layouts[level].unitKey(unit), bytes: bytes)
    }
  }

  func completeLevels(_ writers: [Int: PyramidWriter]) throws {
    guard let committer else { return }
    for (index, writer) in writers.sorted(by: { $0.key < $1.key }) {
      let completion = LevelCompletion(writer: writer, engine: engine) { level in
        try committer.staged(label: index, level: level, layout: writer.layouts[level])
      }
      try completion.run()
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

  /// The thresholds of all ranks, where regions chose for themselves.
  func gathered(
    _ choices: [Choices?], _ found: [Choices?]
  ) throws(Fault) -> [(thresholds: [ScopeThreshold], constant: Bool)] {
    var result: [(thresholds: [ScopeThreshold], constant: Bool)] = []
    for index in setup.plans.indices {
      if let known = choices[index] {
        result.append((known.thresholds, known.hasConstantScope))
        continue
      }
      var packet = Packet()
      packet.write(found[index]?.hasConstantScope ?? false)
      for (number, choice) in found[index]?.known ?? [:] {
        packet.write(UInt64(number))
        packet.write(choice.threshold)
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
      let scopes = Scopes(setup.plans[index])
      let thresholds = all.sorted { $0.number < $1.number }.map {
        ScopeThreshold(scope: scopes.name($0.number), value: $0.value)
      }
      result.append((thresholds, constant))
    }
    return result
  }
}
