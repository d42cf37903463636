import OMJSON
import OMTask
import Testing

@testable import OMRun

@Suite struct CallRecordTests {
  private static func state(_ parts: [String: String]) -> ImageState {
    var object = JSONObject()
    for (name, digest) in parts.sorted(by: { $0.key < $1.key }) { object[name] = .string(digest) }
    return ImageState(.object(object)) ?? .absent
  }

  private static let plain = state(["": "m", "0": "v"])
  private static let labelled = state(["": "m", "0": "v", "labels/a": "l"])
  private static let other = state(["": "m", "0": "w"])

  private static func answer(_ urls: String...) -> WholeImageAnswer {
    WholeImageAnswer(updates: urls.map { ["zarr_url": .string($0)] })
  }

  /// A list of two items that make /new/a and /new/b of the images /p/a and /p/b.
  private func record(done: Bool) -> CallRecord {
    var record = CallRecord(inputs: ["/p/a": Self.plain, "/p/b": Self.plain])
    record.items = ["a", "b"].map { WorkItem(url: "/new/\($0)", arguments: ["of": .string($0)]) }
    record.places = ["/new"]
    if done {
      record.states = [
        "/p/a": Self.plain, "/p/b": Self.labelled, "/new/a": Self.plain, "/new/b": Self.plain,
      ]
    }
    return record
  }

  private let answers = [0: answer("/new/a"), 1: answer("/new/b")]

  private func standing(
    _ change: [String: ImageState?], done: Bool = true, gone: String? = nil, answered: Int = 2
  ) -> CallRecord.Standing {
    let record = record(done: done)
    var now = record.states ?? record.inputs
    for (url, state) in change { now[url] = state }
    return record.standing(
      now, isGone: gone, answers: answers.filter { $0.key < answered })
  }

  @Test func `what is as it was left is done`() {
    #expect(standing([:]) == .done)
    // Labels that others add do not matter.
    #expect(standing(["/p/a": Self.labelled]) == .done)
  }

  @Test func `items whose images have changed are left`() {
    #expect(standing(["/new/a": nil]) == .items([0]))
    #expect(standing(["/new/b": Self.other]) == .items([1]))
    #expect(standing([:], answered: 1) == .items([1]))
  }

  @Test func `everything is left when the images of the call have changed`() {
    #expect(standing(["/p/a": Self.other]) == .changed("/p/a"))
    #expect(standing(["/p/b": Self.plain]) == .changed("/p/b"))
    #expect(standing([:], gone: "/new") == .changed("/new"))
  }

  @Test func `an item of an image of the call is left only while its voxels are the same`() {
    var record = CallRecord(inputs: ["/p/a": Self.plain])
    record.items = [WorkItem(url: "/p/a", arguments: [:])]
    record.states = ["/p/a": Self.labelled]
    let answers = [0: WholeImageAnswer()]
    let standing = { (now: ImageState) in
      record.standing(["/p/a": now], isGone: nil, answers: answers)
    }
    #expect(standing(Self.labelled) == .done)
    #expect(standing(Self.plain) == .items([0]))
    #expect(standing(Self.other) == .changed("/p/a"))
    #expect(record.changedTwice(["/p/a": Self.other]) == nil)
    record.states = ["/p/a": Self.other]
    #expect(record.changedTwice(["/p/a": Self.other]) == nil)
    #expect(record.changedTwice(["/p/a": Self.plain]) == "/p/a")
  }

  @Test func `before the end only the voxels of the call's images count`() {
    #expect(standing([:], done: false, answered: 1) == .items([1]))
    #expect(standing(["/p/a": Self.labelled], done: false, answered: 0) == .items([0, 1]))
    #expect(standing(["/p/a": Self.other], done: false, answered: 1) == .changed("/p/a"))
  }

  @Test func `before the end the results of items that are done count`() {
    let record = record(done: false)
    let end = CallRecord.ItemEnd(state: Self.plain, made: ["", "0"])
    let standing = { (a: ImageState?, input: ImageState) in
      var now = record.inputs
      now["/p/b"] = input
      now["/new/a"] = a
      return record.standing(
        now, isGone: nil, answers: [0: Self.answer("/new/a")], ends: [0: end])
    }
    #expect(standing(Self.labelled, Self.plain) == .items([1]))
    #expect(standing(nil, Self.plain) == .items([0, 1]))
    #expect(standing(Self.other, Self.plain) == .items([0, 1]))
    #expect(standing(Self.plain, Self.other) == .changed("/p/b"))
  }

  @Test func `before the end an image that an item changed is compared with what it left`() {
    var record = CallRecord(inputs: ["/p/a": Self.plain])
    record.items = [WorkItem(url: "/p/a", arguments: [:])]
    let end = CallRecord.ItemEnd(state: Self.other, made: ["0"])
    let standing = { (now: ImageState) in
      record.standing(
        ["/p/a": now], isGone: nil, answers: [0: WholeImageAnswer()], ends: [0: end])
    }
    #expect(standing(Self.other) == .items([]))
    #expect(standing(Self.plain) == .changed("/p/a"))
    #expect(record.changedTwice(["/p/a": Self.plain], ends: [0: end]) == "/p/a")
    #expect(record.changedTwice(["/p/a": Self.other], ends: [0: end]) == nil)
    let unknown = record.standing(
      ["/p/a": Self.other], isGone: nil, answers: [:], begun: [0])
    #expect(unknown == .items([0]))
  }

  @Test(arguments: [false, true])
  func `a record is read as it was written`(done: Bool) {
    var record = record(done: done)
    record.answer = Self.answer("/new/c")
    record.answer.removals = ["/p/a"]
    #expect(CallRecord(record.bytes(["task": "t"])) == record)
    // One that was cut is none.
    #expect(CallRecord(Array(record.bytes([:]).dropLast(30))) == nil)
  }

  @Test func `answers that contradict each other are told`() {
    var merged = MergedAnswers()
    #expect(merged.add(Self.answer("/a", "/a", "/b")) == nil)
    #expect(merged.add(Self.answer("/b")) == nil)
    #expect(merged.answer.updates.count == 2)
    let odd = WholeImageAnswer(updates: [["zarr_url": "/a", "types": ["x": true]]])
    #expect(merged.add(odd)?.contains("two different things") == true)
    #expect(merged.add(WholeImageAnswer(removals: ["/b"]))?.contains("is updated") == true)
    #expect(merged.add(WholeImageAnswer(removals: ["/c"])) == nil)
    #expect(merged.add(Self.answer("/c"))?.contains("is removed") == true)
    #expect(merged.answer.updates.count == 2 && merged.answer.removals == ["/c"])
  }

  @Test func `answers keep below the folder for new images`() throws {
    let rules = AnswerRules(images: ["/p/a"], folder: "/new")
    #expect(try rules.checked(Self.answer("/p/a", "/new/b"), program: "p").updates.count == 2)
    for answer in [Self.answer("/newer/b"), WholeImageAnswer(removals: ["/new/b"])] {
      #expect {
        _ = try rules.checked(answer, program: "p")
      } throws: { ($0 as? Fault)?.kind == .program }
    }
  }
}
