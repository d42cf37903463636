import OMGrid
package import OMJSON
import OMTask
import OMZarr
import Synchronization

/// What every way to choose a threshold gives in one scope of one label image.
package struct ComparedScope: Sendable {
  /// What one way gives.
  package struct Row: Sendable {
    /// The way, such as `otsu`.
    package let method: String
    /// Whether a run takes it.
    package let isChosen: Bool
    /// The threshold, or why there is none.
    package let threshold: Result<Double, Fault>
    /// The share of voxels that are foreground, 0…1, before any object rule.
    package var share: Double?
  }

  /// The label image.
  package let output: String
  /// The scope, for example `t=0 c=1`; empty for the whole image.
  package let scope: String
  /// How many voxels count.
  package let voxels: Int
  /// One row for each way, in the order of the task.
  package var rows: [Row]
}

/// Compares the ways to choose a threshold: the statistics are taken once for all of them, then all
/// masks are counted in one pass.
struct ThresholdComparison: Sendable {
  let plan: LabelPlan
  let engine: any Engine

  private typealias Counts = [Int: [Int]]

  func run() throws -> [ComparedScope] {
    let alternatives = plan.recipe.alternatives
    let scopes = Scopes(plan)
    var tables: [StatisticsNeed: StatisticsTable] = [:]
    for need in Set(alternatives.compactMap(\.statistics).map(served)) {
      tables[need] = try statistics(need)
    }
    let numbers = Set(tables.values.flatMap(\.numbers)).sorted()
    var thresholds: [[Int: Result<MaskChoice, Fault>]] = []
    for alternative in alternatives {
      var found: [Int: Result<MaskChoice, Fault>] = [:]
      for number in numbers {
        let known = try alternative.statistics.flatMap {
          try tables[served($0)]?.statistics(of: number)
        }
        found[number] = Result { () throws(Fault) in try alternative.choose(known) }
      }
      thresholds.append(found)
    }
    let counts = try count(
      thresholds.map { Choices(scopes, known: $0.compactMapValues { try? $0.get() }) })
    return numbers.map { number in
      let found = counts[number] ?? []
      let voxels = found.last ?? 0
      let rows = alternatives.indices.map { index in
        let threshold = thresholds[index][number]?.map { $0.threshold ?? 0 }
        let isKnown = if case .success = threshold { true } else { false }
        return ComparedScope.Row(
          method: alternatives[index].name, isChosen: alternatives[index].isChosen,
          threshold: threshold ?? .failure(Fault(.task, "", "there are no voxels")),
          share: isKnown && voxels > 0 ? Double(found[index]) / Double(voxels) : nil)
      }
      return ComparedScope(
        output: plan.name, scope: scopes.name(number), voxels: voxels, rows: rows)
    }
  }

  /// The need whose statistics serve another one too: those of integers count every level.
  private func served(_ need: StatisticsNeed) -> StatisticsNeed {
    plan.source.metadata.dataType.isFloat ? need : .histogram
  }

  private func statistics(_ need: StatisticsNeed) throws -> StatisticsTable {
    let first = try table(StatisticsPass(plan: plan, need: need))
    if !first.needsSecondPass { return first }
    return try table(StatisticsPass(plan: plan, need: need, survey: first))
  }

  private func table(_ pass: StatisticsPass) throws -> StatisticsTable {
    let regions = plan.grid.regions()
    let merged = Mutex(StatisticsTable())
    try engine.walk(regions.count) { index, worker in
      let table = try pass.run(regions[index], worker)
      try merged.withLock { try $0.add(table) }
    }
    return merged.withLock { $0 }
  }

  /// For each scope the foreground voxels of each choice, and behind them how many voxels there are.
  private func count(_ choices: [Choices]) throws -> Counts {
    let regions = plan.grid.regions()
    let merged = Mutex(Counts())
    try engine.walk(regions.count) { index, worker in
      let counts = try count(regions[index], choices, worker)
      merged.withLock { all in
        all.merge(counts) { zip($0, $1).map { $0 + $1 } }
      }
    }
    return merged.withLock { $0 }
  }

  private func count(_ region: Region, _ choices: [Choices], _ worker: Worker) throws -> Counts {
    let scopes = Scopes(plan)
    let passes = choices.map { MaskPass(plan: plan, choices: $0) }
    var counts = Counts()
    try plan.prepare(region, worker)
    for part in plan.parts(of: region) {
      try plan.visit(part, worker) { lines in
        let number = scopes.number(time: part.time, channel: part.channel, z: lines.z)
        var found = counts[number] ?? [Int](repeating: 0, count: choices.count + 1)
        for (index, pass) in passes.enumerated() where pass.choices.known[number] != nil {
          found[index] += try pass.apply(part, lines, worker) { _, _, _ in }
        }
        found[choices.count] +=
          lines.admitted.map { countOnes($0, lines.rowLength, lines.rowCount) }
          ?? lines.rowLength * lines.rowCount
        counts[number] = found
      }
    }
    return counts
  }
}
