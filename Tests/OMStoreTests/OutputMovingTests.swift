import OMJSON
import Testing

@testable import OMStore

@Suite struct OutputMovingTests {
  let folder = TemporaryFolder()
  let output: OutputFolder

  init() throws {
    folder.put("stage/out/0/a", [1])
    folder.put("labels/old/0/a", [2])
    output = try folder.output()
  }

  @Test func `a folder moves to a free name with all that is in it`() throws {
    try output.folder("stage").renameNoReplace("out", to: output.folder("labels"), "new")
    #expect(try output.read("labels/new/0/a", limit: 1) == [1])
    #expect(try output.folder("stage").list() == [])
  }

  @Test(arguments: ["old", "file", "empty", "dangling"])
  func `a taken name is never replaced`(name: String) throws {
    folder.put("labels/file", [3])
    _ = try output.makeFolder("labels/empty")
    folder.link("labels/dangling", to: "nowhere")
    expectFault(.exists, "\(folder.path)/labels/\(name)", "exists already") {
      () throws(Fault) in
      try output.renameNoReplace("stage/out", to: output, "labels/\(name)")
    }
    #expect(try output.read("stage/out/0/a", limit: 1) == [1])
    #expect(try output.read("labels/old/0/a", limit: 1) == [2])
  }

  @Test func `a taken name is not replaced either where the file system lacks the flag`() throws {
    let labels = try output.folder("labels")
    folder.put("labels/file", [3])
    for name in ["old", "file"] {
      #expect(throws: Errno(code: 17)) {
        try output.folder("stage").renameAfterLooking("out", labels, name)
      }
    }
    try output.folder("stage").renameAfterLooking("out", labels, "new")
    #expect(try output.read("labels/new/0/a", limit: 1) == [1])
  }

  @Test func `two folders change places`() throws {
    try output.renameExchange("stage/out", with: output, "labels/old")
    #expect(try output.read("stage/out/0/a", limit: 1) == [2])
    #expect(try output.read("labels/old/0/a", limit: 1) == [1])
  }

  @Test func `an exchange with nothing is refused and changes nothing`() throws {
    expectFault(.missing, "\(folder.path)/labels/absent", "exchanging") {
      () throws(Fault) in try output.renameExchange("stage/out", with: output, "labels/absent")
    }
    #expect(try output.read("stage/out/0/a", limit: 1) == [1])
  }

  @Test func `a tree is removed and what its links lead to is not`() throws {
    folder.link("stage/out/link", to: "../../labels/old")
    folder.link("stage/out/0/file", to: "../../../labels/old/0/a")
    try output.removeTree("stage")
    #expect(try output.list() == ["labels"])
    #expect(try output.read("labels/old/0/a", limit: 1) == [2])
  }

  @Test func `a link is removed and its target is not`() throws {
    folder.link("link", to: "labels")
    try output.removeTree("link")
    #expect(try output.list() == ["labels", "stage"])
    #expect(try output.read("labels/old/0/a", limit: 1) == [2])
  }

  @Test func `a folder goes only when it is empty, if that was asked for`() throws {
    _ = try output.makeFolder("empty")
    for name in ["stage", "empty", "absent"] { try output.removeIfEmpty(name) }
    #expect(try output.list() == ["labels", "stage"])
  }

  @Test func `removing what is not there does nothing`() throws {
    try output.removeTree("absent")
    try output.removeTree("absent/too")
    #expect(try output.list() == ["labels", "stage"])
  }

  @Test func `each kind of entry is told apart`() throws {
    folder.link("link", to: "labels")
    #expect(try output.kind(of: "labels") == .folder)
    #expect(try output.kind(of: "labels/old/0/a") == .file)
    #expect(try output.kind(of: "link") == .link)
    #expect(try output.kind(of: "absent/too") == nil)
  }
}
