import OMGrid
import OMImage
import OMJSON
import OMStore
import OMTables
import OMTask
import OMZarr
import Synchronization

// The table of an image: sums region by region, merged over threads and ranks, written by rank 0.

extension ImageRun {
  /// Measures the objects of a label image and stages the table.
  ///
  /// *Collective*.
  func writeTable(_ plan: TablePlan) throws -> MadeImage {
    let merged = Mutex(ObjectSums(plan.layout))
    // Each worker has a region in hand, all of them are merged into one, and that becomes rows.
    let share = budget.betweenPasses / (budget.workers + 2)
    let pass = MeasurePass(plan: plan, limit: share)
    progress.begin(.measure)
    try engine.agree {
      try engine.walk(own.count, most: budget.workers, name: names(own)) { index, worker in
        let piece = pieces[own[index]]
        let sums = try measure(own[index], pass, worker)
        try merged.withLock { all throws(Fault) in
          all.merge(sums)
          if all.byteCount > share { throw plan.tooManyObjects(all.count, share) }
        }
        progress.add(piece, plan)
      }
    }
    let all = try gathered(merged.withLock { $0 }, plan, limit: share)
    let facts = try engine.agree { () throws -> TableFacts? in
      guard engine.rank == 0 else { return nil }
      if all.regions != pieces.count {
        throw Fault(
          .internal, plan.name, "\(all.regions) regions were measured, expected \(pieces.count)")
      }
      return try write(plan, all)
    }
    return MadeImage(layouts: [], table: try shared(facts))
  }

  /// The sums of a region: as an earlier invocation found them, or found now and kept.
  private func measure(
    _ number: Int, _ pass: MeasurePass, _ worker: Worker
  ) throws -> ObjectSums {
    if let bytes = checkpoint?.partial(.measure, number),
      let known = try? ObjectSums(pass.plan.layout, unpacking: bytes)
    {
      return known
    }
    let sums = try pass.run(pieces[number].region, worker)
    try checkpoint?.keep(.measure, number, limit: pieces[number].keptBytes(pass.plan)) {
      sums.packed()
    }
    return sums
  }

  /// The sums of all ranks on rank 0, up the tree of ranks.
  ///
  /// *Collective*. All ranks learn first whether they fit, so that nobody waits for one that gave up.
  private func gathered(
    _ own: ObjectSums, _ plan: TablePlan, limit: Int
  ) throws -> ObjectSums {
    let communicator = engine.communicator
    if communicator.size == 1 { return own }
    let (bytes, objects) = try (summed([own.byteCount])[0], summed([own.count])[0])
    if bytes > limit { throw plan.tooManyObjects(objects, limit) }
    var all = own
    let tree = RankTree(communicator)
    for child in tree.children {
      let packed = try communicator.receive(from: child, tag: RankTree.tableTag)
      all.merge(try ObjectSums(plan.layout, unpacking: packed))
    }
    if let parent = tree.parent {
      try communicator.send(all.packed(), to: parent, tag: RankTree.tableTag)
    }
    return all
  }

  /// Stages the files of the table; *local*, rank 0.
  private func write(_ plan: TablePlan, _ sums: ObjectSums) throws(Fault) -> TableFacts {
    guard let committer else { throw Fault(.internal, "", "nothing takes what is made") }
    let objects = MeasuredObjects(
      sums, space: plan.space, channelNames: plan.channelNames,
      labelType: plan.source.metadata.dataType)
    let table = Table(try plan.recipe.columns(objects))
    let stage = committer.stage
    let place = committer.place(0)
    // What a killed invocation left may be of another order of rows, or half written.
    try stage.out().removeTree(place)
    stage.closeFolders()
    let writer = TableWriter(zarrFormat: setup.version.zarrFormat) { key, bytes throws(Fault) in
      try stage.write(file: key, label: place, bytes)
    }
    try writer.write(table, as: plan.recipe.backend)
    return TableFacts(rows: table.rowCount, features: table.columns.dropFirst().map(\.name))
  }

  /// What rank 0 found, on all ranks.
  private func shared(_ facts: TableFacts?) throws(Fault) -> TableFacts {
    var packet = Packet()
    packet.write(UInt64(facts?.rows ?? 0))
    var reader = PacketReader(try engine.communicator.broadcast(packet.bytes))
    let rows = Int(try reader.read(UInt64.self))
    return facts ?? TableFacts(rows: rows, features: [])
  }
}

/// What is known of a table that is staged.
struct TableFacts: Sendable {
  /// How many rows it has.
  let rows: Int
  /// The names of its columns but the first; on rank 0 only.
  let features: [String]
}
