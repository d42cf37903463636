import Glibc
import OMJSON
import Synchronization
import Testing

@testable import OMStore

@Suite struct OutputFolderTests {
  let folder = TemporaryFolder()

  @Test func `a file is written whole, with the folders above it, and nothing else`() throws {
    let output = try folder.output()
    try output.write("a/b/c", [1, 2, 3])
    #expect(try output.read("a/b/c", limit: 3) == [1, 2, 3])
    #expect(try output.folder("a/b").list() == ["c"])
    #expect(try output.list() == ["a"])
  }

  @Test func `buffers are written one after the other however many there are`() throws {
    let bytes = (0..<3000).map { UInt8(truncatingIfNeeded: $0) }
    try bytes.withUnsafeBytes { all in
      let pieces = (0..<3000).map { UnsafeRawBufferPointer(rebasing: all[$0..<$0 + 1]) }
      try folder.output().write("a", pieces + [UnsafeRawBufferPointer(start: nil, count: 0)])
    }
    #expect(try folder.output().read("a", limit: 3000) == bytes)
  }

  @Test(arguments: [false, true])
  func `a file that exists is replaced by a new one`(durable: Bool) throws {
    let output = try folder.output()
    try output.write("a", [1])
    let before = folder.inode("a")
    try output.write("a", [2], durable: durable)
    #expect(try output.read("a", limit: 1) == [2])
    #expect(folder.inode("a") != before)
  }

  @Test func `what a killed writer left under the hidden name does not hinder`() throws {
    folder.put(".a.3.tmp", [9, 9, 9, 9])
    try folder.output().write("a", [1], writer: "3")
    #expect(try folder.output().list() == ["a"])
    #expect(try folder.output().read("a", limit: 1) == [1])
  }

  @Test func `a write that cannot end leaves the old state and no hidden file`() throws {
    folder.put("a/keep", [1])
    let output = try folder.output()
    expectFault(.io, "\(folder.path)/a", "EISDIR") { () throws(Fault) in try output.write("a", [2])
    }
    #expect(try output.list() == ["a"])
    #expect(try output.read("a/keep", limit: 1) == [1])
  }

  @Test func `a file that nobody looks for yet is written under its own name`() throws {
    let output = try folder.output()
    try output.writeUnseen("a.json", Array("old".utf8))
    #expect(try output.list() == ["a.json"])
    try output.writeUnseen("a.json", Array("new".utf8))
    #expect(try output.read("a.json", limit: 100) == Array("new".utf8))
    #expect(try output.list() == ["a.json"])
  }

  @Test func `reading says nil for what is absent and refuses what is no file`() throws {
    folder.put("a/b", [1, 2])
    let output = try folder.output()
    #expect(try output.read("x", limit: 1) == nil)
    #expect(try output.read("x/y", limit: 1) == nil)
    expectFault(.io, "\(folder.path)/a", "is a folder") {
      () throws(Fault) in try output.read("a", limit: 1)
    }
    expectFault(.limit, "\(folder.path)/a/b", "has 2 bytes, the limit is 1") {
      () throws(Fault) in try output.read("a/b", limit: 1)
    }
  }

  @Test func `folders are made though others remove them while they are empty`() throws {
    let isOver = Atomic(false)
    let remover = LaterThread {
      while !isOver.load(ordering: .relaxed) {
        do { try folder.outputFolder().removeIfEmpty("a") } catch { Issue.record(error) }
        usleep(20)
      }
    }
    for number in 0..<300 {
      #expect(throws: Never.self) { try folder.output().makeFolder("a/\(number)") }
      try folder.output().removeTree("a/\(number)")
    }
    isOver.store(true, ordering: .relaxed)
    remover.join()
  }

  @Test func `a file in place of a folder is refused`() throws {
    folder.put("a", [1])
    let output = try folder.output()
    expectFault(.io, "\(folder.path)/a", "is a file, expected a folder") {
      () throws(Fault) in try output.write("a/b", [1])
    }
    expectFault(.missing, "\(folder.path)/x", "while opening the folder") {
      () throws(Fault) in try output.folder("x").path
    }
  }

  @Test(arguments: ["../a", "/a", "a/../../b", ""])
  func `nothing is written outside the folder`(path: String) throws {
    let output = try folder.output()
    expectFault(.path, folder.path, "the path `\(path)`") {
      () throws(Fault) in try output.write(path, [1])
    }
  }

  @Test func `free space is what the file system says`() throws {
    let space = try folder.output().freeSpace()
    var status = statvfs()
    #expect(statvfs(folder.path, &status) == 0)
    let bytes = Int(status.f_bavail * status.f_frsize)
    // Other programs write meanwhile.
    #expect(abs(space.bytes - bytes) < 1 << 30)
    #expect((space.inodes == nil) == (status.f_files == 0))
  }

  @Test(.enabled(if: access("/sys/kernel", F_OK) == 0))
  func `a place that nobody may write to is a matter of permission`() throws {
    let output = try OutputFolder(path: "/sys/kernel")
    expectFault(.permission, "/sys/kernel/a", "while writing 1 bytes") {
      () throws(Fault) in try output.write("a", [1])
    }
  }
}

@Suite struct PlantedLinkTests {
  let folder = TemporaryFolder()

  init() { folder.put("target/file", [5]) }

  @Test func `a link in place of a folder is refused and its target untouched`() throws {
    folder.link("image/labels", to: "../target")
    let output = try OutputFolder(path: folder.path + "/image")
    let path = folder.path + "/image/labels"
    expectFault(.path, path, "is a link") { () throws(Fault) in try output.write("labels/new", [1])
    }
    expectFault(.path, path, "is a link") { () throws(Fault) in
      try output.makeFolder("labels/x").path
    }
    expectFault(.path, path, "is a link") { () throws(Fault) in
      try output.read("labels/file", limit: 1)
    }
    expectFault(.path, path, "is a link") { () throws(Fault) in try output.removeTree("labels/file")
    }
    #expect(try OutputFolder(path: folder.path + "/target").list() == ["file"])
  }

  @Test func `a link in place of a file is refused and its target untouched`() throws {
    folder.link("image/a", to: "../target/file")
    let output = try OutputFolder(path: folder.path + "/image")
    expectFault(.path, folder.path + "/image/a", "is a link") {
      () throws(Fault) in try output.write("a", [1])
    }
    expectFault(.path, folder.path + "/image/a", "is a link") {
      () throws(Fault) in try output.writeUnseen("a", [1])
    }
    #expect(try output.list() == ["a"])
    #expect(try folder.output().read("target/file", limit: 1) == [5])
  }

  @Test func `a link under the hidden name is removed and its target untouched`() throws {
    folder.link("image/.a.0.tmp", to: "../target/file")
    let output = try OutputFolder(path: folder.path + "/image")
    try output.write("a", [1])
    #expect(try output.list() == ["a"])
    #expect(try folder.output().read("target/file", limit: 1) == [5])
  }

  @Test func `a folder that was moved stays the folder that is written to`() throws {
    let output = try folder.output().makeFolder("stage")
    #expect(rename(folder.path + "/stage", folder.path + "/moved") == 0)
    folder.link("stage", to: "target")
    try output.write("a", [1])
    #expect(try folder.output().read("moved/a", limit: 1) == [1])
    #expect(try folder.output().folder("target").list() == ["file"])
  }
}
