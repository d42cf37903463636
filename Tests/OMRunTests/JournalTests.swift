import OMJSON
import OMStore
import Testing

@testable import OMRun

private let records: [JournalRecord] = [
  .begin(JournalBegin(invocation: 2, rank: 1, ranks: 4, started: 1_700_000_000_123, host: "n1")),
  .unit(StagedUnit(place: UnitPlace(plan: 0, level: 1, number: 7), size: 4096, checksum: 0xFEED)),
  .unit(StagedUnit(place: UnitPlace(plan: 1, level: 0, number: 0), size: nil, checksum: 0)),
  .lost(UnitPlace(plan: 1, level: 0, number: 0)),
  .partial(
    WorkPlace(pass: .statistics, piece: 3), PartialPlace(offset: 10, size: 20, checksum: 5)),
  .piece(WorkPlace(pass: .labels, piece: 3), VoxelCounts(processed: 40, foreground: 12)),
  .damage([1, 2, 3]),
  .complete,
]

@Suite struct JournalFormTests {
  @Test func `records come back as they were written`() {
    #expect(JournalForm.records(in: JournalForm.bytes(of: records)) == records)
    #expect(JournalForm.records(in: []).isEmpty)
  }

  @Test func `every pass has a number of its own`() {
    let passes: [ImagePass] = [.statistics, .statisticsInRange, .mask, .objects, .labels]
    let places = passes.map { JournalRecord.piece(WorkPlace(pass: $0, piece: 1), VoxelCounts()) }
    #expect(JournalForm.records(in: JournalForm.bytes(of: places)) == places)
    #expect(Set(places.map(\.payload)).count == passes.count)
  }

  @Test func `a journal that was cut off keeps what is whole`() {
    let bytes = JournalForm.bytes(of: records)
    var known = 0
    for count in 0..<bytes.count {
      let found = JournalForm.records(in: Array(bytes[..<count]))
      #expect(found == Array(records.prefix(found.count)))
      #expect(found.count >= known)
      known = found.count
    }
    #expect(known == records.count - 1)
  }

  @Test func `a flipped bit loses one record, whichever it hits`() {
    let bytes = JournalForm.bytes(of: records)
    for bit in 0..<bytes.count * 8 {
      var flipped = bytes
      flipped[bit / 8] ^= 1 << (bit % 8)
      let found = JournalForm.records(in: flipped)
      #expect(found.count == records.count - 1)
      #expect(found.allSatisfy(records.contains))
    }
  }

  @Test func `an invocation beyond all names leaves room for the next one`() {
    let begin = JournalBegin(invocation: .max, rank: 0, ranks: 1, started: 0, host: "")
    let found = JournalForm.records(in: JournalForm.bytes(of: [.begin(begin)]))
    guard case .begin(let read)? = found.first else {
      Issue.record("\(found)")
      return
    }
    #expect(read.invocation == Int(UInt32.max))
  }

  @Test func `what stands between two records is skipped`() {
    let noise: [UInt8] = Array("OMJ1OMJ".utf8) + [0xFF, 0xFF, 0xFF, 0xFF, 1]
    let bytes = noise + JournalForm.bytes(of: [.complete]) + noise
    #expect(JournalForm.records(in: bytes) == [.complete])
  }
}

@Suite struct PastWorkTests {
  @Test func `the later word counts`() {
    var past = PastWork()
    let place = UnitPlace(plan: 0, level: 0, number: 1)
    let unit = { (size: Int) in
      JournalRecord.unit(StagedUnit(place: place, size: size, checksum: 9))
    }
    past.add("0.0", JournalForm.bytes(of: [unit(1), unit(2), unit(2)]))
    past.add("1.0", JournalForm.bytes(of: [unit(3)]))
    #expect(past.units[place]?.size == 3)
    past.add("2.0", JournalForm.bytes(of: [.lost(place)]))
    #expect(past.isEmpty)
  }

  @Test func `a piece counts only with all its units`() {
    var past = PastWork()
    let units = [0, 1].map { UnitPlace(plan: 0, level: 0, number: $0) }
    let work = WorkPlace(pass: .mask, piece: 4)
    let staged = units.map { JournalRecord.unit(StagedUnit(place: $0, size: 1, checksum: 0)) }
    past.add(
      "0.0",
      JournalForm.bytes(
        of: staged + [.piece(work, VoxelCounts(processed: 9, foreground: 5)), .complete]))
    past.dropPieces { $0 == 4 ? units : nil }
    #expect(past.pieces[work] == VoxelCounts(processed: 9, foreground: 5))
    #expect(past.isComplete)
    past.drop([units[1]])
    past.dropPieces { $0 == 4 ? units : nil }
    #expect(past.pieces.isEmpty)
    #expect(!past.isComplete)
  }

  @Test func `a piece that the plan does not have is forgotten`() {
    var past = PastWork()
    past.add(
      "0.0", JournalForm.bytes(of: [.piece(WorkPlace(pass: .mask, piece: 99), VoxelCounts())]))
    past.dropPieces { _ in nil }
    #expect(past.pieces.isEmpty)
  }
}

@Suite struct JournalWriterTests {
  @Test func `partials and records of an invocation lie in files of its own`() throws {
    let folder = ImageFolder()
    let stage = try folder.output()
    let begin = JournalBegin(invocation: 3, rank: 1, ranks: 2, started: 1, host: "n")
    let writer = JournalWriter(stage, begin, isDurable: true)
    #expect(try stage.list().isEmpty)
    let first = try writer.store([1, 2, 3])
    let second = try writer.store([4, 5])
    #expect(second.offset == 3)
    let work = WorkPlace(pass: .objects, piece: 0)
    writer.add(.partial(work, first))
    try writer.flush([.partial(work, second)])
    try writer.flush()
    #expect(try stage.list() == ["journal.3.1", "partials.3.1"])
    let bytes = try #require(try stage.read("journal.3.1", limit: 1 << 20))
    #expect(
      JournalForm.records(in: bytes) == [
        .begin(begin), .partial(work, first), .partial(work, second),
      ])
  }

  @Test(arguments: [
    ("journal.3.1", 3), ("partials.12.0", 12), ("journal.3", nil), ("journal.a.1", nil),
    ("run.json", nil), ("journal.1.2.3", nil), ("journal.-1.0", nil),
    ("journal.9223372036854775807.0", nil),
  ])
  func `names tell the invocation`(_ name: String, _ invocation: Int?) {
    #expect(JournalFiles.invocation(of: name) == invocation)
  }
}
