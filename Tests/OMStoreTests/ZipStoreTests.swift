import OMJSON
import Testing

@testable import OMStore

@Suite struct ZipStoreTests {
  typealias Entry = ZipBytes.Entry

  /// What is wrong with a whole archive, and how it is refused when it is opened.
  static let hostile: [(what: String, archive: ZipBytes, kind: FaultKind, text: String)] = {
    var count = ZipBytes("a")
    count.count = 2
    var late = ZipBytes("zarr.json", "0/c/0", "0/zarr.json")
    late.comment = String(decoding: ZipComment.bytes(version: "0.5"), as: UTF8.self)
    var beyond = ZipBytes("a")
    beyond.directoryStart = 5000
    var large = ZipBytes("a")
    large.directorySize = 5000
    var many = ZipBytes("a")
    many.disk = 1
    var wide = ZipBytes("a")
    wide.count = 0xFFFF
    return [
      ("leads out", ZipBytes("a", "../b"), .path, "part `..`"),
      ("absolute", ZipBytes("/etc/passwd"), .path, "begins with `/`"),
      ("backslash", ZipBytes("a\\b"), .path, "backslash"),
      ("control character", ZipBytes("a\nb"), .path, "control character"),
      ("empty part", ZipBytes("a//b"), .path, "empty part"),
      ("no name", ZipBytes(""), .path, "is empty"),
      ("drive", ZipBytes("c:/b"), .path, "URL"),
      ("long name", ZipBytes(String(repeating: "a/", count: 2100) + "b"), .limit, "4096"),
      ("long part", ZipBytes(String(repeating: "a", count: 256)), .path, "256 bytes"),
      ("encrypted", ZipBytes([Entry(name: "a", flags: 1)]), .unsupported, "encrypted"),
      ("zstd", ZipBytes([Entry(name: "a", method: 93)]), .unsupported, "method 93"),
      ("link", ZipBytes([Entry(name: "a", mode: 0o120777)]), .unsupported, "symbolic link"),
      ("other part", ZipBytes([Entry(name: "a", disk: 3)]), .unsupported, "part 3"),
      ("several parts", many, .unsupported, "several files"),
      ("stored longer", ZipBytes([Entry(name: "a", size: 4)]), .zip, "3 bytes, its size is 4"),
      (
        "bomb", ZipBytes([Entry(name: "a", method: 8, size: 1 << 20)]), .zip, "the most is 3096"
      ),
      (
        "shared bytes", ZipBytes([Entry(name: "a"), Entry(name: "b", place: 0)]), .zip,
        "two entries share bytes"
      ),
      ("beyond the file", ZipBytes([Entry(name: "a", place: 9999)]), .zip, "directory begins"),
      (
        "no wide field", ZipBytes([Entry(name: "a", size: 0xFFFF_FFFF)]), .zip, "ZIP64 field"
      ),
      (
        "broken extra field", ZipBytes([Entry(name: "a", extra: [1, 0, 9, 0, 1])]), .zip,
        "extra field has 9 bytes"
      ),
      ("file and folder", ZipBytes("a/b", "a"), .zip, "is an entry, and a folder of others"),
      ("archive in it", ZipBytes("a/B.OZX"), .zip, "holds another archive"),
      ("more told", count, .zip, "ends within entry 1 of 2"),
      ("no wide record", wide, .zip, "ZIP64 record, which is not there"),
      ("directory beyond", beyond, .zip, "5000"),
      ("directory too large", large, .zip, "5000 bytes"),
      ("broken promise", late, .zip, "`0/zarr.json` comes after"),
    ]
  }()

  @Test(arguments: hostile.indices)
  func `an archive that is wrong is refused when it is opened`(number: Int) {
    let (what, archive, kind, text) = Self.hostile[number]
    do {
      _ = try archive.store()
      Issue.record("\(what): it is opened")
    } catch let fault as Fault {
      #expect(fault.kind == kind, "\(what): \(fault)")
      #expect(fault.message.contains(text), "\(what): \(fault)")
      #expect(fault.subject.hasPrefix("a.zip"), "\(what): \(fault)")
    } catch { Issue.record("\(what): \(error)") }
  }

  @Test func `cut off anywhere an archive is refused`() {
    let bytes = ZipBytes("zarr.json", "0/zarr.json", "0/c/0").bytes
    for count in 0..<bytes.count {
      let file = OpenedValue(key: "a.zip", bytes: Array(bytes.prefix(count)))
      #expect(throws: Fault.self) {
        try ZipStore(root: "a.zip", file, ValueStamp(size: count, modified: 0))
      }
    }
  }

  @Test func `another checksum is noticed when all of an entry is read, and not for a part`() throws
  {
    let store = try ZipBytes([Entry(name: "a", crc: 0x1234)]).store()
    expectFault(.checksum, "a", "0x00001234") { () throws(Fault) in try store.get("a", limit: 9) }
    expectFault(.checksum, "a", "0x00001234") { () throws(Fault) in
      try store.forEachPiece(of: 0) { (_) throws(Fault) in }
    }
    #expect(try store.open("a")?.bytes(at: 1, count: 2) == [2, 3])
  }

  @Test func `a local header that tells another name is refused`() throws {
    let store = try ZipBytes([Entry(name: "a", localName: "b")]).store()
    expectFault(.zip, "a", "another name") { () throws(Fault) in try store.open("a") }
  }

  @Test func `the last of several entries with one name counts`() throws {
    let store = try ZipBytes([Entry(name: "a"), Entry(name: "b"), Entry(name: "a", content: [9])])
      .store()
    #expect(try store.get("a", limit: 9) == [9])
    #expect(try store.list("") == ["a", "b"])
    #expect(store.remarks.contains { $0.text.contains("same name") })
  }

  @Test func `bytes in front are no hindrance, wherever places count from`() throws {
    var archive = ZipBytes("a", "b")
    archive.front = Array("#!/bin/sh\n".utf8)
    #expect(try archive.store().get("b", limit: 9) == [1, 2, 3])
    let behind = Array("#!/bin/sh\n".utf8) + ZipBytes("a", "b").bytes
    let store = try ZipStore(
      root: "a.zip", OpenedValue(key: "a.zip", bytes: behind), ValueStamp(size: 0, modified: 0))
    #expect(try store.get("b", limit: 9) == [1, 2, 3])
    #expect(store.remarks.contains { $0.text.contains("10 bytes lie in front") })
  }

  @Test func `a folder is no value, and nothing lies below one`() throws {
    let store = try ZipBytes("0/c/0", "0/c-1", "0/c.x/1").store()
    expectFault(.codec, "0/c", "is a folder") { () throws(Fault) in try store.open("0/c") }
    expectFault(.codec, "0/c-1", "is a file") { () throws(Fault) in try store.open("0/c-1/5") }
    expectFault(.io, "0/c", "is a folder") { () throws(Fault) in try store.get("0/c", limit: 1) }
    #expect(try store.list("0") == ["c", "c-1", "c.x"])
    #expect(try store.isFolder("0/c") && !store.isFolder("0/c-1") && !store.isFolder("0/c/"))
  }

  @Test func `an ozx has its metadata at the root`() throws {
    #expect(throws: Never.self) { try ZipBytes("zarr.json").store("a.ozx") }
    do {
      _ = try ZipBytes("image.zarr/zarr.json").store("a.OZX")
      Issue.record("it is opened")
    } catch let fault as Fault {
      #expect(fault.kind == .zip && fault.hint?.contains("image.zarr") == true)
    }
  }

  @Test func `comments say what RFC-9 wants or that they do not`() {
    let right = ZipComment(ZipComment.bytes(version: "0.5"))
    #expect(right.version == "0.5" && right.isJSONFirst && right.problem == nil)
    for text in ["", "hello", "{}", #"{"ome": {}}"#, "[]", "null"] {
      let comment = ZipComment(Array(text.utf8))
      #expect(comment.problem != nil && !comment.isJSONFirst, "\(text)")
    }
    let odd = ZipComment(
      Array(#"{"ome":{"version":"0.5","zipFile":{"centralDirectory":{"jsonFirst":1}}}}"#.utf8))
    #expect(odd.problem?.contains("jsonFirst") == true)
  }
}
