import OMJSON
import OMTask
import Synchronization

// The thresholds of an image: statistics region by region, merged over threads and ranks.

extension ImageRun {
  /// The thresholds of each label image; nil where each region finds its own.
  func findThresholds() throws -> [Choices?] {
    var tables = setup.labels.map { _ in StatisticsTable() }
    var (choices, open) = try knownChoices()
    if open.isEmpty { return choices }
    try takeStatistics(open, &tables, survey: nil)
    let again = open.filter { tables[$0].needsSecondPass }
    if !again.isEmpty {
      let survey = tables
      for index in again { tables[index] = StatisticsTable() }
      try takeStatistics(again, &tables, survey: survey)
    }
    for index in open {
      var found = Choices(Scopes(setup.labels[index]))
      try found.choose(setup.labels[index].recipe, from: tables[index])
      choices[index] = found
    }
    return choices
  }

  /// The thresholds that are known without statistics, and the label images that need some.
  func knownChoices() throws -> (choices: [Choices?], open: [Int]) {
    var choices = preset
    var open: [Int] = []
    for (index, plan) in setup.labels.enumerated()
    where choices[index] == nil && plan.recipe.tiles == nil {
      if plan.recipe.statistics == nil {
        choices[index] = Choices(Scopes(plan), fixed: try plan.recipe.choose(nil))
      } else if plan.takesStatistics(memory: memoryPerWorker) {
        open.append(index)
      }
    }
    return (choices, open)
  }

  /// The statistics of all scopes of a plan, for thresholds over several images.
  func statistics(survey: [StatisticsTable]?) throws -> [StatisticsTable] {
    var tables = setup.labels.map { _ in StatisticsTable() }
    try takeStatistics(Array(setup.labels.indices), &tables, survey: survey)
    return tables
  }

  func takeStatistics(
    _ plans: [Int], _ tables: inout [StatisticsTable], survey: [StatisticsTable]?
  ) throws {
    let wanted = own.filter { plans.contains(pieces[$0].plan) }
    let merged = Mutex(tables)
    let name = survey == nil ? ImagePass.statistics : .statisticsInRange
    progress.begin(name)
    try engine.agree {
      try engine.walk(wanted.count, most: budget.workers, name: names(wanted)) { index, worker in
        let piece = pieces[wanted[index]]
        let plan = setup.labels[piece.plan]
        guard let need = plan.recipe.statistics else { return }
        let table: StatisticsTable
        if let known = checkpoint?.statistics(name, wanted[index]) {
          table = known
        } else {
          let pass = StatisticsPass(plan: plan, need: need, survey: survey?[piece.plan])
          table = try pass.run(piece.region, worker)
          try checkpoint?.keep(name, wanted[index], limit: piece.keptBytes(plan)) { table.packed() }
        }
        try merged.withLock { try $0[piece.plan].add(table) }
        progress.add(piece, plan)
      }
    }
    tables = merged.withLock { $0 }
    for index in plans { tables[index] = try tables[index].merged(engine.communicator) }
    try shareImageScope(plans, &tables)
  }

  /// With the scope `image`, all label images of the image share one threshold.
  private func shareImageScope(
    _ plans: [Int], _ tables: inout [StatisticsTable]
  ) throws(Fault) {
    let sharing = plans.filter { setup.labels[$0].recipe.scope == .image }
    guard sharing.count > 1 else { return }
    var all = StatisticsTable()
    for index in sharing { try all.add(tables[index]) }
    for index in sharing { tables[index] = all }
  }
}
