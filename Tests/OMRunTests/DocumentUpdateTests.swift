import Glibc
import OMJSON
import OMStore
import Synchronization
import Testing

@testable import OMRun

@Suite struct DocumentUpdateTests {
  let folder = ImageFolder()

  /// When others write: after the document was read, or right before it is replaced.
  enum Moment: CaseIterable { case reading, replacing }

  private func update() throws -> DocumentUpdate {
    DocumentUpdate(
      workshop: try folder.output().makeFolder("work"), spareName: "new", isDurable: true)
  }

  /// Adds a word to the document `list`, a list of words, while others work at it too.
  private func add(
    _ word: String, at moment: Moment = .reading, meanwhile others: [@Sendable () -> Void] = []
  ) throws {
    let rest = Mutex(others[...])
    let disturb: @Sendable () -> Void = { rest.withLock { $0.popFirst() }?() }
    var update = try update()
    if moment == .replacing { update.willExchange = disturb }
    try update.change("list", in: folder.output()) { (bytes) throws(Fault) in
      let words = try bytes.map { (bytes) throws(Fault) in
        try JSON(parsing: bytes, subject: "list").arrayValue ?? []
      }
      if moment == .reading { disturb() }
      if let words, words.contains(.string(word)) { return nil }
      return JSON.array((words ?? []) + [.string(word)]).bytes()
    }
    #expect(rest.withLock { $0.isEmpty })
    #expect(try folder.output().folder("work").list() == [])
  }

  private var list: String { folder.text("list") }

  @Test func `a document is made, then changed`() throws {
    try add("a")
    try add("b")
    #expect(list == #"["a","b"]"#)
  }

  @Test func `a document that needs no change stays the file it was`() throws {
    try add("a")
    let before = try folder.output().stamp("list")
    folder.put("work/new", "half")
    let stamp = try update().change("list", in: folder.output()) { _ in nil }
    #expect(try folder.output().stamp("list") == before && stamp == before)
    #expect(try folder.output().list() == ["list", "work"])
    #expect(try folder.output().folder("work").list() == [])
  }

  @Test(arguments: Moment.allCases)
  func `what another program writes meanwhile is kept`(moment: Moment) throws {
    folder.put("list", #"["a"]"#)
    try add("c", at: moment, meanwhile: [{ folder.replace("list", #"["a","b"]"#) }])
    #expect(list == #"["a","b","c"]"#)
  }

  @Test(arguments: Moment.allCases)
  func `what several programs write meanwhile is seen, one after the other`(moment: Moment) throws {
    folder.put("list", #"["a"]"#)
    try add(
      "c", at: moment,
      meanwhile: [
        { folder.replace("list", #"["a","b"]"#) }, { folder.replace("list", #"["a","b","d"]"#) },
        { folder.replace("list", #"["a","b","d","e"]"#) },
      ])
    #expect(list == #"["a","b","d","e","c"]"#)
  }

  @Test(arguments: Moment.allCases)
  func `a document that comes or goes meanwhile is looked at again`(moment: Moment) throws {
    try add("c", at: moment, meanwhile: [{ folder.replace("list", #"["b"]"#) }])
    #expect(list == #"["b","c"]"#)
    try add("d", at: moment, meanwhile: [{ unlink(folder.path + "/list") }])
    #expect(list == #"["d"]"#)
  }

  @Test func `a program that is writing in place is waited for`() throws {
    folder.put("list", #"["a"]"#)
    let write = LaterWrite(folder.path + "/list", #"["a","b"]"#)
    try add("c")
    write.join()
    #expect(list == #"["a","b","c"]"#)
  }

  @Test(arguments: Moment.allCases)
  func `a program that writes in place meanwhile is waited for`(moment: Moment) throws {
    folder.put("list", #"["a"]"#)
    let writes = Mutex<[LaterWrite]>([])
    try add(
      "c", at: moment,
      meanwhile: [
        {
          let write = LaterWrite(folder.path + "/list", #"["a","b"]"#)
          writes.withLock { $0.append(write) }
        }
      ])
    for write in writes.withLock({ $0 }) { write.join() }
    #expect(list == #"["a","b","c"]"#)
  }

  @Test(arguments: ["", "["])
  func `a document that stays broken is an error and left alone`(text: String) throws {
    folder.put("list", text)
    let fault = #expect(throws: Fault.self) { try add("c") }
    #expect(fault?.kind == .json)
    #expect(list == text)
  }

  @Test func `what another program leaves broken at the last moment gives way to ours`() throws {
    folder.put("list", #"["a"]"#)
    try add("c", at: .replacing, meanwhile: [{ folder.replace("list", #"["a","#) }])
    #expect(list == #"["a","c"]"#)
  }

  @Test(arguments: Moment.allCases)
  func `a link that is planted meanwhile stays and its target is untouched`(moment: Moment) throws {
    folder.put("list", #"["a"]"#)
    folder.put("target", #"["secret"]"#)
    let fault = #expect(throws: Fault.self) {
      try add(
        "c", at: moment,
        meanwhile: [
          {
            unlink(folder.path + "/list")
            symlink("target", folder.path + "/list")
          }
        ])
    }
    #expect(fault?.kind == .path && fault?.subject == folder.path + "/list")
    #expect(try folder.output().kind(of: "list") == .link)
    #expect(folder.text("target") == #"["secret"]"#)
    #expect(try folder.output().folder("work").list() == [])
  }
}

/// Empties a file at once and writes it a little later, as a program does that writes in place.
private final class LaterWrite: Sendable {
  private let thread: pthread_t

  init(_ path: String, _ text: String) {
    let file = open(path, O_WRONLY | O_TRUNC)
    let job = Unmanaged.passRetained(Job(file: file, text: text))
    var thread = pthread_t()
    let failed = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        let job = Unmanaged<Job>.fromOpaque(argument).takeRetainedValue()
        usleep(40_000)
        _ = job.text.withCString { write(job.file, $0, strlen($0)) }
        close(job.file)
        return nil
      }, job.toOpaque())
    #expect(failed == 0)
    self.thread = thread
  }

  func join() { pthread_join(thread, nil) }

  private final class Job: Sendable {
    let file: Int32
    let text: String

    init(file: Int32, text: String) {
      self.file = file
      self.text = text
    }
  }
}
