import Glibc
import OMJSON
import Testing

@testable import OMStore

/// The kinds of store; a new one joins here.
enum StoreKind: CaseIterable {
  case memory
  case file
  case fileOnOldKernel
  case fileFollowingLinks
  case archive

  /// A store with these values; it lives as long as the folder does.
  func make(_ values: [String: [UInt8]]) throws -> (any Store, TemporaryFolder) {
    let folder = TemporaryFolder()
    if self == .archive {
      try ZipWriterTests.write(values, to: folder)
    } else {
      for (key, bytes) in values { folder.put(key, bytes) }
    }
    let store: any Store =
      switch self {
      case .memory: MemoryStore(values)
      case .file: try FileStore(root: folder.path)
      case .fileOnOldKernel:
        try FileStore(root: folder.path, followLinks: false, asksKernel: false)
      case .fileFollowingLinks: try FileStore(root: folder.path, followLinks: true)
      case .archive: try ZipStore(path: folder.path + "/a.zip")
      }
    return (store, folder)
  }
}

@Suite struct EveryStoreTests {
  static let values: [String: [UInt8]] = [
    "zarr.json": Array("{}".utf8), "0/c/0/1": Array(0..<200), "0/c/0/10": [], "labels/a": [7],
  ]

  @Test(arguments: StoreKind.allCases)
  func `a value reads back whole`(kind: StoreKind) throws {
    let (store, folder) = try kind.make(Self.values)
    for (key, bytes) in Self.values { #expect(try store.get(key, limit: 200) == bytes) }
    #expect(!folder.path.isEmpty)
  }

  @Test(arguments: StoreKind.allCases, ["absent", "0/c/9/9", "9/c/0"])
  func `what is not there is nil`(kind: StoreKind, key: String) throws {
    let (store, folder) = try kind.make(Self.values)
    #expect(try store.get(key, limit: 10) == nil)
    #expect(try store.open(key) == nil)
    #expect(try store.stamp(key) == nil)
    #expect(!folder.path.isEmpty)
  }

  @Test(arguments: StoreKind.allCases)
  func `a value above the limit is refused with both sizes`(kind: StoreKind) throws {
    let (store, folder) = try kind.make(Self.values)
    expectFault(.limit, "0/c/0/1", "has 200 bytes, the limit is 199") {
      () throws(Fault) in try store.get("0/c/0/1", limit: 199)
    }
    #expect(!folder.path.isEmpty)
  }

  @Test(arguments: StoreKind.allCases)
  func `any range of a value can be read`(kind: StoreKind) throws {
    let (store, folder) = try kind.make(Self.values)
    let value = try #require(try store.open("0/c/0/1"))
    #expect(value.size == 200)
    for (start, count) in [(0, 200), (0, 1), (199, 1), (50, 100), (200, 0)] {
      #expect(try read(value, start, count) == Array(UInt8(start)..<UInt8(start + count)))
    }
    #expect(!folder.path.isEmpty)
  }

  @Test(arguments: StoreKind.allCases, [(0, 201), (200, 1), (150, 51), (-1, 1), (300, 0)])
  func `a range beyond the end is truncated, never short`(
    kind: StoreKind, range: (start: Int, count: Int)
  ) throws {
    let (store, folder) = try kind.make(Self.values)
    let value = try #require(try store.open("0/c/0/1"))
    let wanted = "has 200 bytes, expected \(range.count) bytes at \(range.start)"
    expectFault(.truncated, "0/c/0/1", wanted) {
      () throws(Fault) in try read(value, range.start, range.count)
    }
    #expect(!folder.path.isEmpty)
  }

  @Test(arguments: StoreKind.allCases)
  func `names are listed once, sorted, one level deep`(kind: StoreKind) throws {
    let (store, folder) = try kind.make(Self.values)
    #expect(try store.list("") == ["0", "labels", "zarr.json"])
    #expect(try store.list("0/c/0") == ["1", "10"])
    #expect(try store.list("absent") == [])
    #expect(try store.list("zarr.json") == [])
    #expect(!folder.path.isEmpty)
  }

  // Nothing in an archive ever changes.
  @Test(arguments: StoreKind.allCases.filter { $0 != .archive })
  func `equal stamps mean the value has not changed`(kind: StoreKind) throws {
    let (store, folder) = try kind.make(Self.values)
    let stamp = try #require(try store.stamp("labels/a"))
    #expect(stamp.size == 1)
    #expect(try store.stamp("labels/a") == stamp)
    // A file system may keep time in steps of some milliseconds.
    usleep(20_000)
    folder.put("labels/a", [8])
    (store as? MemoryStore)?["labels/a"] = [8]
    #expect(try store.stamp("labels/a") != stamp)
  }

  @Test(arguments: StoreKind.allCases)
  func `folders are told from values`(kind: StoreKind) throws {
    let (store, folder) = try kind.make(Self.values)
    for key in ["", "0", "0/c", "labels"] { #expect(try store.isFolder(key), "\(key)") }
    for key in ["zarr.json", "0/c/0/1", "absent", "0/c/7"] {
      #expect(try !store.isFolder(key), "\(key)")
    }
    #expect(!folder.path.isEmpty)
  }

  private func read(_ value: OpenedValue, _ start: Int, _ count: Int) throws(Fault) -> [UInt8] {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
    defer { buffer.deallocate() }
    try value.read(at: start, into: buffer)
    return Array(buffer)
  }
}
