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
    let (mine, share) = try ownSums(plan)
    let all = try gathered(
      mine, size: (mine.byteCount, mine.count), limit: share, tooMany: plan.tooManyObjects,
      pack: { $0.packed() }
    ) { (all, packed) throws(Fault) in
      all.merge(try ObjectSums(plan.layout, unpacking: packed))
    }
    let facts = try engine.agree { () throws -> TableFacts? in
      guard engine.rank == 0 else { return nil }
      try checkPieces(all.regions, plan.name)
      let objects = MeasuredObjects(
        all, space: plan.space, channelNames: plan.channelNames,
        labelType: plan.source.metadata.dataType)
      return try write(
        Table(try plan.recipe.columns(objects)), as: plan.recipe.backend, isIndexed: true)
    }
    return MadeImage(layouts: [], table: try shared(facts))
  }

  /// Measures what is in the own pieces, and keeps the sums of each.
  ///
  /// *Collective*.
  ///
  /// - Returns: The sums of all, and the bytes that they may take.
  func ownSums(_ plan: TablePlan) throws -> (sums: ObjectSums, limit: Int) {
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
    return (merged.withLock { $0 }, share)
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
    // Whoever does the rest of an image must find what its parts measured.
    let limit = request.options.part == nil ? pieces[number].keptBytes(pass.plan) : .max
    try checkpoint?.keep(.measure, number, limit: limit) {
      sums.packed()
    }
    return sums
  }

  /// What all ranks found on rank 0, up the tree of ranks.
  ///
  /// *Collective*. All ranks learn first whether it fits, so that nobody waits for one that gave up.
  ///
  /// - Parameters:
  ///   - own: What this rank found.
  ///   - size: Its bytes in memory, and how many objects or rows it has.
  ///   - limit: Bytes that all of it may take.
  ///   - tooMany: The fault when it takes more, of the number of objects or rows and the limit.
  ///   - pack: Makes bytes of what was found.
  ///   - add: Adds what another rank found, of its bytes.
  /// - Returns: On rank 0 all of it.
  /// - Throws: The fault, and what the communicator throws.
  func gathered<Found>(
    _ own: Found, size: (bytes: Int, count: Int), limit: Int, tooMany: (Int, Int) -> Fault,
    pack: (Found) -> [UInt8], add: (inout Found, [UInt8]) throws -> Void
  ) throws -> Found {
    let communicator = engine.communicator
    if communicator.size == 1 { return own }
    let totals = try summed([size.bytes, size.count])
    if totals[0] > limit { throw tooMany(totals[1], limit) }
    var all = own
    let tree = RankTree(communicator)
    var fault: Fault?
    for child in tree.children {
      // Who cannot go on still takes what it is sent, and sends nothing in place of what it has.
      let packed = try communicator.receive(from: child, tag: RankTree.tableTag)
      if packed.isEmpty || fault != nil { continue }
      do {
        try add(&all, packed)
      } catch {
        fault = Fault(wrapping: error)
      }
    }
    if let parent = tree.parent {
      try communicator.send(fault == nil ? pack(all) : [], to: parent, tag: RankTree.tableTag)
    }
    let found = fault
    try engine.agree { () throws -> Void in
      if let found { throw found }
    }
    return all
  }

  /// Makes sure that every piece was looked at once.
  func checkPieces(_ found: Int, _ table: String) throws(Fault) {
    if found == pieces.count { return }
    throw Fault(.internal, table, "\(found) regions were measured, expected \(pieces.count)")
  }

  /// Stages the files of the table; *local*, rank 0.
  func write(
    _ table: Table, as backend: TableBackend, isIndexed: Bool
  ) throws(Fault) -> TableFacts {
    guard let committer else { throw Fault(.internal, "", "nothing takes what is made") }
    let stage = committer.stage
    let place = committer.place(0)
    // What a killed invocation left may be of another order of rows, or half written.
    try stage.out().removeTree(place)
    stage.closeFolders()
    let writer = TableWriter(zarrFormat: setup.version.zarrFormat) { key, bytes throws(Fault) in
      try stage.write(file: key, label: place, bytes)
    }
    try writer.write(table, as: backend, isIndexed: isIndexed)
    return TableFacts(
      rows: table.rowCount, features: table.columns.dropFirst(isIndexed ? 1 : 0).map(\.name),
      hasUnsignedNames: isIndexed && table.firstUnsignedName != nil)
  }

  /// What rank 0 found, on all ranks.
  func shared(_ facts: TableFacts?) throws(Fault) -> TableFacts {
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
  /// Whether rows are named by numbers that no number with a sign can hold; on rank 0 only.
  var hasUnsignedNames = false
  /// The regions that rows were found in; nil when nothing depends on them.
  var regions: JSON?
}
