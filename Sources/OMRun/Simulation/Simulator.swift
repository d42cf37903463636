import OMGrid
import OMImage
import OMJSON
import OMManifest
import OMTask

/// Plays a run on some numbers of ranks, with the regions, owners and moves that the run itself would have.
///
/// *Local*; nothing is written and no voxel is read.
///
/// - Parameters:
///   - request: What would be done.
///   - ranks: The numbers of ranks.
///   - ranksPerNode: How many share a machine; nil takes as many as its cores allow.
///   - model: What things cost on such a machine.
///   - memory: The memory of each process for a number of ranks on its machine.
/// - Returns: What each run would take.
/// - Throws: `usage` for a task that the model does not know, and what is wrong with all images.
package func simulate(
  _ request: RunRequest, ranks: [Int], ranksPerNode: Int?, model: CostModel,
  memory: (_ ranksPerNode: Int) -> Int
) throws -> Simulations {
  if request.manifest.traits.contract == .image {
    throw Fault(
      .usage, "--simulate",
      "\(request.manifest.identifier) is a program that does whole images, what it costs is not known"
    )
  }
  let inputs = try Inputs(request)
  let threads = max(1, request.options.threads)
  var simulations = Simulations()
  var works: [Workload] = []
  var failed = 0
  for item in inputs.items {
    do {
      guard let location = item.location else {
        throw item.fault ?? Fault(.internal, item.uri, "the image has no place and no fault")
      }
      let setup = try ImageSetup(location, request)
      if setup.plans.isEmpty { continue }
      works.append(
        try Workload(setup, request, model, memory: request.options.memory / threads))
    } catch {
      let fault = Fault(wrapping: error)
      if inputs.items.count == 1 || fault.kind == .usage { throw fault }
      failed += 1
    }
  }
  simulations.images = works.count
  if failed > 0 {
    simulations.notes.append("\(failed) images cannot be processed and are left out")
  }
  if let differences = works.map(\.choice.differences).max(by: { $0.count < $1.count }),
    !differences.isEmpty
  {
    simulations.notes.append(
      "the costs were measured with \(differences.joined(separator: ", "))")
  }
  if model.launch.ranks.isEmpty, ranks.contains(where: { $0 > 1 }) {
    simulations.notes.append(
      "the cost model has no figures of MPI: start and messages of ranks are left out")
  }
  for count in ranks {
    let perNode = min(count, ranksPerNode ?? max(1, model.cores / threads))
    let simulator = Simulator(
      ranks: count, threads: threads,
      machine: SimulatedMachine(cores: model.cores, ranksPerNode: perNode), model: model,
      memory: memory(perNode))
    simulations.runs.append(try simulator.run(works, images: inputs.items.count))
  }
  return simulations
}

/// One simulated run.
private struct Simulator {
  let ranks: Int
  let threads: Int
  let machine: SimulatedMachine
  let model: CostModel
  let memory: Int

  private var nodes: Int { (ranks + machine.ranksPerNode - 1) / machine.ranksPerNode }

  func run(_ works: [Workload], images: Int) throws(Fault) -> Simulation {
    // Images that make no work count as such.
    let regions = works.map(\.items.count) + Array(repeating: 0, count: images - works.count)
    var result = Simulation()
    (result.ranks, result.threads, result.nodes) = (ranks, threads, nodes)
    result.ranksPerNode = machine.ranksPerNode
    result.splitsImages = ImageSpread.splits(regions: regions, workers: ranks * threads)
    result.start = model.launch.start(ranks: ranks, ranksPerNode: machine.ranksPerNode)
    var sums = RankSums(ranks: ranks)
    if result.splitsImages {
      for work in works { try split(work, &result, &sums) }
    } else {
      try whole(works, &result, &sums)
    }
    let rest = works.map(\.costs.run).max() ?? 0
    result.add("the rest", rest)
    result.busy = Spread(sums.busy)
    result.read = Spread(sums.read)
    result.written = Spread(sums.written)
    for operations in sums.metadata { result.metadata += operations }
    result.mostMetadata = sums.metadata.map(\.sum).max() ?? 0
    return result
  }

  // MARK: - One image on all ranks

  private func split(
    _ work: Workload, _ result: inout Simulation, _ sums: inout RankSums
  ) throws(Fault) {
    let costs = work.costs
    let budget = try MemoryBudget(work.plans, memory: memory, workers: threads, ranks: ranks)
    result.memory = max(result.memory, budget.total)
    var owners = Partition(costs: work.items.map(\.cost), parts: ranks).owners
    var crowd = machine
    crowd.contention = costs.contention
    for (number, pass) in costs.passes.enumerated() where pass.name != SimulatedStage.levels {
      // Before objects are painted regions move from busy ranks to idle ones.
      if number > 0 && pass.name == ImagePass.labels.rawValue
        && costs.passes.contains(where: { $0.name == ImagePass.objects.rawValue })
      {
        rebalance(&owners, work)
      }
      var jobs = [[SimulatedJob]](repeating: [], count: ranks)
      for (item, owner) in zip(work.items, owners) {
        jobs[owner].append(
          SimulatedJob(cpu: item.load * pass.cpu, wait: item.load * pass.wait))
      }
      sums.add(jobs)
      result.add(pass.name, walk(jobs, workers: budget.workers, crowd))
    }
    var between = [[SimulatedJob]](repeating: [SimulatedJob(cpu: 0)], count: ranks)
    for (item, owner) in zip(work.items, owners) {
      between[owner][0].cpu += item.load * costs.between
      sums.read[owner] += item.read
      sums.written[owner] += Double(item.written)
      sums.metadata[owner].opens += item.opened
      sums.metadata[owner].creates += item.units
      sums.metadata[owner].renames += item.units
    }
    if costs.between > 0 {
      sums.add(between)
      result.add("between passes", walk(between, workers: 1, crowd))
    }
    let late = levels(work, owners, &sums)
    if late.contains(where: { !$0.isEmpty }) {
      sums.add(late)
      result.add(SimulatedStage.levels, walk(late, workers: threads, crowd))
    }
    // One rank asks for the sizes of all chunks: for what the run is, and again for the owners.
    let stats = work.keys * (ranks > 1 ? 2 : 1)
    sums.metadata[0].stats += stats
    sums.metadata[0].creates += work.documents
    // The first rank is taken to make the folders; which one does is chance.
    sums.metadata[0].folders += work.folders
    // Each rank has a journal, where there is more than one region.
    if work.items.count > 1 { for rank in 0..<ranks { sums.metadata[rank].creates += 1 } }
    result.add(SimulatedStage.sync, sync(work, owners) + costs.commit)
    let talk = model.launch.talk(ranks: ranks, ranksPerNode: machine.ranksPerNode)
    result.add("the rest", costs.image + talk + Double(stats) * model.files.stat)
  }

  /// The jobs of all machines; all ranks wait for the last.
  private func walk(
    _ jobs: [[SimulatedJob]], workers: Int, _ machine: SimulatedMachine
  ) -> Double {
    var longest = 0.0
    for first in stride(from: 0, to: ranks, by: machine.ranksPerNode) {
      let queues = Array(jobs[first..<min(ranks, first + machine.ranksPerNode)])
      if queues.allSatisfy(\.isEmpty) { continue }
      longest = max(longest, NodeWalk.seconds(queues, workers: workers, machine))
    }
    return longest
  }

  private func rebalance(_ owners: inout [Int], _ work: Workload) {
    if ranks == 1 { return }
    var own = [[Int]](repeating: [], count: ranks)
    for (item, owner) in owners.enumerated() { own[owner].append(item) }
    // Where objects lie is not known; where voxels are stored is.
    for move in Rebalance.moves(own.map { $0.map { work.items[$0].load } }) {
      owners[own[move.from][move.place]] = move.to
    }
  }

  /// Gives coarser levels to who makes them, and returns the jobs of those that are made at the end.
  private func levels(
    _ work: Workload, _ owners: [Int], _ sums: inout RankSums
  ) -> [[SimulatedJob]] {
    var late = [[SimulatedJob]](repeating: [], count: ranks)
    let measured = work.costs.passes.first { $0.name == SimulatedStage.levels }
    var missing = 0
    for unit in work.coarse {
      var owner = unit.items.first.map { owners[$0] } ?? 0
      if unit.waits || unit.items.contains(where: { owners[$0] != owner }) {
        owner = missing % ranks
        missing += 1
        let rated =
          Double(unit.fineBytes) * work.levelCosts.read
          + Double(unit.written) * work.levelCosts.write
        late[owner].append(SimulatedJob(cpu: rated + model.files.create))
        sums.metadata[owner].opens += 1
      }
      sums.written[owner] += Double(unit.written)
      sums.metadata[owner].creates += 1
      sums.metadata[owner].renames += 1
    }
    // Where levels had to wait on one rank too, what they cost was measured.
    if let measured, missing > 0 {
      let voxels = work.items.reduce(0) { $0 + $1.load }
      let rated = late.joined().reduce(0) { $0 + $1.cpu }
      let factor = rated > 0 ? voxels * measured.cpu / rated : 1
      for rank in late.indices {
        for job in late[rank].indices { late[rank][job].cpu *= factor }
      }
    }
    return late
  }

  /// Seconds until what the ranks staged is on the disk; each waits for its own files.
  private func sync(_ work: Workload, _ owners: [Int]) -> Double {
    var units = [Double](repeating: Double(work.coarse.count) / Double(ranks), count: ranks)
    for (item, owner) in zip(work.items, owners) { units[owner] += Double(item.units) }
    return (units.max() ?? 0) / Double(threads) * syncSeconds(work.costs)
  }

  /// Seconds for which a worker waits for one file while all others of its machine wait for theirs.
  private func syncSeconds(_ costs: TaskCosts) -> Double {
    let waiting = min(ranks, machine.ranksPerNode) * threads
    if machine.cores < 2 { return costs.sync * Double(waiting) }
    let each = max(0, costs.crowdedSync - costs.sync) / Double(machine.cores - 1)
    return costs.sync + each * Double(waiting - 1)
  }

  // MARK: - Whole images on single workers

  private func whole(
    _ works: [Workload], _ result: inout Simulation, _ sums: inout RankSums
  ) throws(Fault) {
    let owners = Partition(costs: works.map { _ in 1 }, parts: ranks).owners
    var jobs = [[SimulatedJob]](repeating: [], count: ranks)
    var crowd = machine
    for (work, owner) in zip(works, owners) {
      let costs = work.costs
      crowd.contention = max(crowd.contention, costs.contention)
      let budget = try MemoryBudget(
        work.plans, memory: memory / threads, workers: 1, ranks: 1)
      result.memory = max(result.memory, threads * budget.total)
      let load = work.items.reduce(0) { $0 + $1.load }
      let units = work.items.reduce(work.coarse.count) { $0 + $1.units }
      let late = work.coarse.filter(\.waits).reduce(0.0) {
        $0 + Double($1.fineBytes) * work.levelCosts.read + Double($1.written)
          * work.levelCosts.write
      }
      jobs[owner].append(
        SimulatedJob(
          cpu: costs.image + late + load * (costs.between + costs.passes.reduce(0) { $0 + $1.cpu }),
          wait: costs.commit + load * costs.passes.reduce(0) { $0 + $1.wait }
            + Double(units) * syncSeconds(costs)))
      sums.add(work, units: units, to: owner)
    }
    sums.add(jobs)
    result.add("images", walk(jobs, workers: threads, crowd))
    result.add("the rest", model.launch.talk(ranks: ranks, ranksPerNode: machine.ranksPerNode))
  }
}

extension Simulation {
  /// Adds time to a part of the run.
  fileprivate mutating func add(_ name: String, _ seconds: Double) {
    run += seconds
    if let place = stages.firstIndex(where: { $0.name == name }) {
      stages[place].seconds += seconds
    } else {
      stages.append(SimulatedTime(name: name, seconds: seconds))
    }
  }
}
