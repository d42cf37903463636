// The journal is nobody's business outside OMRun, so its tests look inside it. Ordinary release builds
// do not allow that; scripts/fuzz does, and says so with FUZZING.
#if DEBUG || FUZZING
  import OMJSON
  import OMZarr
  @testable import OMRun

  extension FuzzTarget {
    /// Files of a stage, chosen by the first byte: a journal, one record of a journal, and partials.
    static let journals: [FuzzTarget] = [
      FuzzTarget("journal", refusals: [.internal, .unsupported]) { bytes in
        var input = FuzzInput(bytes)
        switch input.byte() % 5 {
        case 0: try checkJournal(Array(input.remaining))
        case 1: try checkRecord(kind: input.byte(), Array(input.remaining))
        case 2: try checkDamage(Array(input.remaining))
        case 3: try checkStatistics(Array(input.remaining))
        default: try checkObjects(Array(input.remaining))
        }
      }
    ]
  }

  /// Broken bytes only ever cost records; those that are read are written as they were.
  private func checkJournal(_ bytes: [UInt8]) throws {
    let records = JournalForm.records(in: bytes)
    try promise(
      JournalForm.records(in: JournalForm.bytes(of: records)) == records,
      "records that were written read as others")
    var past = PastWork()
    past.add("1.0", bytes)
    past.dropPieces { _ in [] }
    try promise(past.pieces.count <= records.count, "more pieces than records")
    for packed in past.damage { _ = try DamageLog.Content(unpacking: packed) }
  }

  /// A record whose checksum is right may hold anything; records beside it are not harmed.
  private func checkRecord(kind: UInt8, _ payload: [UInt8]) throws {
    guard let record = JournalRecord(kind: kind, payload: payload) else { return }
    let whole = JournalForm.bytes(of: [.complete, record, .complete])
    try promise(
      JournalForm.records(in: whole) == [.complete, record, .complete], "a record is lost")
    try promise(
      JournalForm.records(in: Array("OMJ".utf8) + whole.dropLast()) == [.complete, record],
      "a record between broken ones is lost")
    try checkJournal(whole)
  }

  private func checkDamage(_ bytes: [UInt8]) throws {
    let content = try DamageLog.Content(unpacking: bytes)
    try promise(
      try DamageLog.Content(unpacking: content.packed()) == content, "damaged chunks change")
    try DamageLog().add(content)
  }

  private func checkStatistics(_ bytes: [UInt8]) throws {
    let table = try StatisticsTable(unpacking: bytes)
    let packed = table.packed()
    try promise(
      try StatisticsTable(unpacking: packed).packed() == packed, "statistics change")
  }

  private func checkObjects(_ bytes: [UInt8]) throws {
    let objects = try RegionObjects(unpacking: bytes)
    let packed = objects.packed()
    try promise(try RegionObjects(unpacking: packed).packed() == packed, "objects change")
  }
#else
  extension FuzzTarget {
    static let journals: [FuzzTarget] = []
  }
#endif
