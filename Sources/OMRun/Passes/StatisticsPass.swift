import OMGrid
import OMJSON
import OMTask
import OMZarr
import Synchronization

/// The merged statistics of the scopes of one label image.
struct StatisticsTable: Sendable {
  private(set) var scopes: [Int: VoxelStatistics] = [:]

  mutating func add(_ number: Int, _ statistics: VoxelStatistics) throws(Fault) {
    if var known = scopes[number] {
      scopes[number] = nil
      try known.merge(statistics)
      scopes[number] = known
    } else {
      scopes[number] = statistics
    }
  }

  mutating func add(_ other: StatisticsTable) throws(Fault) {
    for (number, statistics) in other.scopes { try add(number, statistics) }
  }

  /// Merges the tables of all ranks; every rank gets the same one.

  ///

  /// *Collective*.
  func merged(_ communicator: any Communicator) throws(Fault) -> StatisticsTable {
    if communicator.size == 1 { return self }
    var table = StatisticsTable()
    for bytes in try communicator.gatherAll(encoded()) {
      try table.add(StatisticsTable(encoded: bytes))
    }
    return table
  }

  private func encoded() -> [UInt8] {
    var packet = Packet()
    for (number, statistics) in scopes.sorted(by: { $0.key < $1.key }) {
      packet.write(UInt64(number))
      packet.write(statistics.encoded())
    }
    return packet.bytes
  }

  private init(encoded bytes: [UInt8]) throws(Fault) {
    var reader = PacketReader(bytes)
    while !reader.isAtEnd {
      let number = Int(try reader.read(UInt64.self))
      scopes[number] = try VoxelStatistics(encoded: try reader.readBytes())
    }
  }

  init() {}
}

/// Pass 1: what a method must know of the voxels, region by region and merged per scope.
struct StatisticsPass: Sendable {
  let plan: LabelPlan
  let need: StatisticsNeed
  /// For the second pass of a wide type: the merged first pass.
  var survey: StatisticsTable?

  /// Takes the statistics of one region.
  func run(_ region: Region, _ worker: Worker) throws -> StatisticsTable {
    var table = StatisticsTable()
    for part in plan.parts(of: region) {
      try table.add(run(part) { body in try plan.visit(part, worker, body) })
    }
    return table
  }

  /// Takes the statistics of one part, whose lines `planes` visits.
  func run(
    _ part: VolumePart, planes: ((PlaneLines) throws -> Void) throws -> Void
  ) throws -> StatisticsTable {
    let scopes = Scopes(plan)
    var table = StatisticsTable()
    var current: (number: Int, statistics: VoxelStatistics)?
    try planes { lines in
      let number = scopes.number(time: part.time, channel: part.channel, z: lines.z)
      if current?.number != number {
        if let current { try table.add(current.number, current.statistics) }
        current = (number, try fresh(number))
      }
      if let place = add(lines, to: &current) { throw plan.notFinite(part, lines, offset: place) }
    }
    if let current { try table.add(current.number, current.statistics) }
    return table
  }

  /// The identity of the pass for a scope.
  func fresh(_ number: Int) throws(Fault) -> VoxelStatistics {
    guard let survey else {
      return VoxelStatistics(need: need, dataType: plan.source.metadata.dataType)
    }
    guard let range = survey.scopes[number] else {
      throw Fault(.internal, "", "scope \(number) was not surveyed")
    }
    return try VoxelStatistics(counting: range)
  }

  /// Adds the voxels of some lines; returns the offset of a voxel that is not finite.
  private func add(
    _ lines: PlaneLines, to current: inout (number: Int, statistics: VoxelStatistics)?
  ) -> Int? {
    if let voxels = lines.voxels {
      return current?.statistics.add(
        rows: voxels, rowLength: lines.rowLength, rowCount: lines.rowCount,
        rowStride: lines.rowStride)
    }
    return plan.source.metadata.fillValue.withUnsafeBytes { fill in
      fill.baseAddress.flatMap {
        current?.statistics.add(fill: $0, times: UInt64(lines.rowLength * lines.rowCount))
      }
    }
  }
}
