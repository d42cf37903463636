import OMGrid
import OMJSON
import OMTask
import OMZarr

/// Pass 1: what a method must know of the voxels, region by region and merged per scope.
struct StatisticsPass: Sendable {
  let plan: LabelPlan
  let need: StatisticsNeed
  /// For the second pass of a wide type: the merged first pass.
  var survey: StatisticsTable?

  /// Takes the statistics of one region.
  func run(_ region: Region, _ worker: Worker) throws -> StatisticsTable {
    try plan.prepare(region, worker)
    var table = StatisticsTable()
    for part in plan.parts(of: region) {
      try table.add(run(part, worker) { body in try plan.visit(part, worker, body) })
    }
    return table
  }

  /// Takes the statistics of one part, whose lines `planes` visits.
  func run(
    _ part: VolumePart, _ worker: Worker, planes: ((PlaneLines) throws -> Void) throws -> Void
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
      if let place = add(lines, to: &current, worker) {
        throw plan.notFinite(part, lines, offset: place)
      }
    }
    if let current { try table.add(current.number, current.statistics) }
    return table
  }

  /// The identity of the pass for a scope.
  func fresh(_ number: Int) throws(Fault) -> VoxelStatistics {
    guard let survey else {
      return VoxelStatistics(need: need, dataType: plan.source.metadata.dataType)
    }
    guard let range = try survey.statistics(of: number) else {
      throw Fault(.internal, "", "scope \(number) was not surveyed")
    }
    return try VoxelStatistics(counting: range)
  }

  /// Adds the voxels of some lines; returns the offset of a voxel that is not finite.
  private func add(
    _ lines: PlaneLines, to current: inout (number: Int, statistics: VoxelStatistics)?,
    _ worker: Worker
  ) -> Int? {
    let metadata = plan.source.metadata
    if let voxels = lines.voxels, lines.admitted != nil {
      guard
        let found = lines.gather(
          voxels, byteCount: metadata.dataType.byteCount, into: worker.gathered)
      else { return nil }
      return current?.statistics.add(
        rows: found.voxels, rowLength: found.count, rowCount: 1, rowStride: found.count
      ).map(lines.offset(ofAdmitted:))
    }
    if let voxels = lines.voxels {
      return current?.statistics.add(
        rows: voxels, rowLength: lines.rowLength, rowCount: lines.rowCount,
        rowStride: lines.rowStride)
    }
    let count =
      lines.admitted.map { countOnes($0, lines.rowLength, lines.rowCount) }
      ?? lines.rowLength * lines.rowCount
    return metadata.fillValue.withUnsafeBytes { fill in
      fill.baseAddress.flatMap { current?.statistics.add(fill: $0, times: UInt64(count)) }
    }
  }
}
