import Glibc
import OMJSON
import OMStore
import Testing

@testable import OMRun

@Suite struct DocumentUpdateTests {
  let folder = ImageFolder()

  private func update() throws -> DocumentUpdate {
    DocumentUpdate(
      workshop: try folder.output().makeFolder("work"), spareName: "new", isDurable: false)
  }

  /// Changes the document `list`, a list of words, while others work at it too.
  private func add(
    _ word: String, meanwhile others: [() throws -> Void] = []
  ) throws -> Int {
    var calls = 0
    let place = try folder.output()
    try update().change("list", in: place) { (bytes) throws(Fault) in
      let words = try bytes.map { (bytes) throws(Fault) in
        try JSON(parsing: bytes, subject: "list").arrayValue ?? []
      }
      if calls < others.count {
        #expect(throws: Never.self) { try others[calls]() }
      }
      calls += 1
      return JSON.array((words ?? []) + [.string(word)]).bytes()
    }
    #expect(try folder.output().folder("work").list() == [])
    return calls
  }

  private var list: String { folder.text("list") }

  @Test func `a document is made, then changed`() throws {
    #expect(try add("a") == 1)
    #expect(try add("b") == 1)
    #expect(list == #"["a","b"]"#)
  }

  @Test func `a document that needs no change stays the file it was`() throws {
    _ = try add("a")
    let before = try folder.output().stamp("list")
    folder.put("work/new", "half")
    let stamp = try update().change("list", in: folder.output()) { _ in nil }
    #expect(try folder.output().stamp("list") == before && stamp == before)
    #expect(try folder.output().list() == ["list", "work"])
    #expect(try folder.output().folder("work").list() == [])
  }

  @Test func `what another program writes meanwhile is kept`() throws {
    folder.put("list", #"["a"]"#)
    let calls = try add("c", meanwhile: [{ folder.replace("list", #"["a","b"]"#) }])
    #expect(calls == 2)
    #expect(list == #"["a","b","c"]"#)
  }

  @Test func `what several programs write meanwhile is seen, one after the other`() throws {
    folder.put("list", #"["a"]"#)
    let calls = try add(
      "c",
      meanwhile: [
        { folder.replace("list", #"["a","b"]"#) }, { folder.replace("list", #"["a","b","d"]"#) },
        { folder.replace("list", #"["a","b","d","e"]"#) },
      ])
    #expect(calls == 4)
    #expect(list == #"["a","b","d","e","c"]"#)
  }

  @Test func `a document that comes or goes meanwhile is looked at again`() throws {
    #expect(try add("c", meanwhile: [{ folder.replace("list", #"["b"]"#) }]) == 2)
    #expect(list == #"["b","c"]"#)
    let calls = try add("d", meanwhile: [{ try folder.output().removeTree("list") }])
    #expect(calls == 2)
    #expect(list == #"["d"]"#)
  }

  @Test func `a program that writes in place is waited for`() throws {
    folder.put("list", #"["a"]"#)
    let file = open(folder.path + "/list", O_WRONLY | O_TRUNC)
    let thread = LaterWrite(file, #"["a","b"]"#)
    _ = try add("c")
    thread.join()
    #expect(list == #"["a","b","c"]"#)
  }

  @Test func `a program that writes in place at that very moment is waited for`() throws {
    folder.put("list", #"["a"]"#)
    var thread: LaterWrite?
    _ = try add(
      "c",
      meanwhile: [
        { thread = LaterWrite(open(folder.path + "/list", O_WRONLY | O_TRUNC), #"["a","b"]"#) }
      ])
    thread?.join()
    #expect(list == #"["a","b","c"]"#)
  }

  @Test(arguments: ["", "["])
  func `a document that stays broken is an error and left alone`(text: String) throws {
    folder.put("list", text)
    let fault = #expect(throws: Fault.self) { try add("c") }
    #expect(fault?.kind == .json)
    #expect(list == text)
  }

  @Test func `what another program leaves broken meanwhile gives way to ours`() throws {
    folder.put("list", #"["a"]"#)
    _ = try add("c", meanwhile: [{ folder.replace("list", #"["a","#) }])
    #expect(list == #"["a","c"]"#)
  }

  @Test func `a link that is planted meanwhile is put back and its target untouched`() throws {
    folder.put("list", #"["a"]"#)
    folder.put("target", #"["secret"]"#)
    let fault = #expect(throws: Fault.self) {
      try add(
        "c",
        meanwhile: [
          {
            unlink(folder.path + "/list")
            symlink("target", folder.path + "/list")
          }
        ])
    }
    #expect(fault?.kind == .path && fault?.subject == folder.path + "/list")
    #expect(try folder.output().kind(of: "list") == .link)
    #expect(try folder.output().read("target", limit: 100) == Array(#"["secret"]"#.utf8))
  }
}

/// Writes to an open file a little later, as a program does that writes its documents in place.
private final class LaterWrite {
  private var thread = pthread_t()

  init(_ file: Int32, _ text: String) {
    let job = Unmanaged.passRetained(Job(file: file, text: text))
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
