import Glibc
import OMJSON
import Testing

@testable import OMStore

@Suite(.serialized) struct FileStoreTests {
  let folder = TemporaryFolder()

  private func stores() throws -> [FileStore] {
    [
      try FileStore(root: folder.path + "/in"),
      try FileStore(root: folder.path + "/in", followLinks: false, asksKernel: false),
    ]
  }

  init() {
    folder.put("in/0/a", [1])
    folder.put("secret", [2])
  }

  @Test func `links that stay below the root are followed`() throws {
    folder.link("in/relative", to: "0/a")
    folder.link("in/1", to: "0")
    folder.link("in/back", to: "0/../0/a")
    folder.link("in/absolute", to: folder.path + "/in/0/a")
    for store in try stores() {
      for key in ["relative", "1/a", "back", "absolute"] {
        #expect(try store.get(key, limit: 1) == [1], "\(key)")
      }
      #expect(try store.list("1") == ["a"])
    }
  }

  @Test(arguments: ["../secret", "../../../../../../etc/passwd", "/etc/passwd"])
  func `a link that leaves the root is refused and named`(target: String) throws {
    folder.link("in/bad", to: target)
    for store in try stores() {
      expectFault(.path, "bad", "which is outside `\(store.root)`") {
        () throws(Fault) in try store.get("bad", limit: 10_000_000)
      }
    }
  }

  @Test func `a link to a device is no file, inside the root or outside`() throws {
    folder.link("in/zero", to: "/dev/zero")
    let store = try FileStore(root: "\(folder.path)/in")
    expectFault(.io, "zero", "leads to a device, `/dev/zero`") { () throws(Fault) in
      try store.get("zero", limit: 10)
    }
  }

  @Test func `a folder reached through a link that leaves the root is refused`() throws {
    folder.put("outside/a", [3])
    folder.link("in/2", to: "../outside")
    for store in try stores() {
      expectFault(.path, "2/a", "\(folder.path)/outside/a") {
        () throws(Fault) in try store.get("2/a", limit: 1)
      }
      expectFault(.path, "2", "outside") { () throws(Fault) in try store.list("2") }
      expectFault(.path, "2/a", "outside") { () throws(Fault) in try store.stamp("2/a") }
    }
  }

  @Test func `a sibling whose name begins like the root is outside`() throws {
    folder.put("in2/a", [3])
    folder.link("in/bad", to: folder.path + "/in2/a")
    for store in try stores() {
      expectFault(.path, "bad", "in2/a") { () throws(Fault) in try store.get("bad", limit: 1) }
    }
  }

  @Test func `links may leave the root when that was asked for`() throws {
    folder.link("in/out", to: "../secret")
    let store = try FileStore(root: folder.path + "/in", followLinks: true)
    #expect(try store.get("out", limit: 1) == [2])
  }

  @Test(arguments: ["nowhere", "/nowhere"])
  func `a link to nothing is not an absent chunk`(target: String) throws {
    folder.link("in/annexed", to: target)
    for store in try stores() {
      expectFault(.missing, "annexed", "link to something that does not exist") {
        () throws(Fault) in try store.get("annexed", limit: 1)
      }
    }
  }

  @Test func `a file where a folder of chunks should be is no absent chunk`() throws {
    folder.put("in/c", [1])
    for store in try stores() {
      expectFault(.io, "c", "is a file, expected a folder") {
        () throws(Fault) in try store.get("c/0/1", limit: 1)
      }
      // What is read in parts are chunks, and an array with such a one is damaged.
      expectFault(.codec, "c", "is a file, expected a folder") {
        () throws(Fault) in try store.open("c/0/1")?.size
      }
      #expect(try store.stamp("c/0/1") == nil)
    }
  }

  @Test func `links on the way to a chunk lead somewhere inside or are faults`() throws {
    folder.put("in/real/0", [7])
    folder.link("in/good", to: "real")
    folder.link("in/out", to: "/usr")
    folder.link("in/gone", to: "absent")
    for store in try stores() {
      #expect(try store.get("good/0", limit: 1) == [7])
      #expect(try store.get("good/1", limit: 1) == nil)
      expectFault(.path, "out", "outside") {
        () throws(Fault) in try store.get("out/0/0", limit: 1)
      }
      expectFault(.missing, "gone", "does not exist") {
        () throws(Fault) in try store.get("gone/0/0", limit: 1)
      }
    }
    let free = try FileStore(root: folder.path + "/in", followLinks: true)
    #expect(try free.get("out/nothing/0", limit: 1) == nil)
  }

  @Test func `a ring of links is refused`() throws {
    folder.link("in/a", to: "b")
    folder.link("in/b", to: "a")
    for store in try stores() {
      expectFault(.path, "a", "ELOOP") { () throws(Fault) in try store.get("a", limit: 1) }
    }
  }

  @Test(.timeLimit(.minutes(1)))
  func `a pipe in place of a chunk is refused without waiting`() throws {
    #expect(mkfifo(folder.path + "/in/pipe", 0o644) == 0)
    for store in try stores() {
      expectFault(.io, "pipe", "is a pipe, expected a file") {
        () throws(Fault) in try store.get("pipe", limit: 1)
      }
      expectFault(.codec, "pipe", "is a pipe, expected a file") {
        () throws(Fault) in try store.open("pipe")?.size
      }
    }
  }

  @Test func `a folder in place of a chunk is refused`() throws {
    for store in try stores() {
      expectFault(.codec, "0", "is a folder, expected a file") {
        () throws(Fault) in try store.open("0")?.size
      }
      expectFault(.io, "0", "is a folder, expected a file") {
        () throws(Fault) in try store.get("0", limit: 1)
      }
    }
  }

  @Test func `the root may be reached through links`() throws {
    folder.link("door", to: "in")
    let store = try FileStore(root: folder.path + "/door")
    #expect(store.root == folder.path + "/in")
    #expect(try store.get("0/a", limit: 1) == [1])
  }

  @Test func `a root that is absent or no folder is refused by its path`() {
    for name in ["absent", "secret"] {
      let path = folder.path + "/" + name
      expectFault(.missing, path, "while opening the folder") {
        () throws(Fault) in try FileStore(root: path)
      }
    }
  }

  @Test(.enabled(if: geteuid() != 0, "root may read everything"))
  func `a chunk without permission is not absent`() throws {
    chmod(folder.path + "/in/0/a", 0)
    let store = try FileStore(root: folder.path + "/in")
    expectFault(.permission, "0/a", "EACCES") { () throws(Fault) in try store.get("0/a", limit: 1) }
  }

  @Test func `a file that got shorter while it was open is truncated`() throws {
    folder.put("in/b", [1, 2, 3, 4])
    let value = try #require(try FileStore(root: folder.path + "/in").open("b"))
    folder.put("in/b", [1, 2])
    expectFault(.truncated, "b", "has 2 bytes, expected 4 bytes at 0") {
      () throws(Fault) in try value.readAll(limit: 4)
    }
  }

  @Test func `descriptors are closed again`() throws {
    let store = try FileStore(root: folder.path + "/in")
    let before = openDescriptors()
    for _ in 0..<200 {
      _ = try store.get("0/a", limit: 1)
      _ = try store.list("0")
      _ = try store.stamp("0/a")
      _ = try? store.get("0", limit: 1)
    }
    // Other suites run meanwhile and hold a few of their own.
    #expect(openDescriptors() < before + 100)
  }

  private func openDescriptors() -> Int {
    (try? FileStore(root: "/proc/self", followLinks: true).list("fd").count) ?? 0
  }
}
