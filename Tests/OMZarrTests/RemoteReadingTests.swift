import Glibc
import OMCodecs
import OMGrid
import OMJSON
import OMStore
import OMZarr
import Synchronization
import Testing

/// Arrays on servers: what is asked for while chunks are worked on.
struct RemoteReadingTests {
  /// A store in which every access takes its time, as on a server.
  final class SlowStore: Store {
    let description = "slow"
    var folder: String? { nil }
    var isRemote: Bool { true }
    private let content: MemoryStore
    private let broken: String?
    private let seen = Mutex<(now: Int, most: Int, asked: [String])>((0, 0, []))

    init(_ content: MemoryStore, broken: String? = nil) {
      self.content = content
      self.broken = broken
    }

    /// The most accesses that were under way at once.
    var most: Int { seen.withLock { $0.most } }
    /// The keys that were asked for, documents aside.
    var asked: [String] { seen.withLock { $0.asked } }

    func get(_ key: String, limit: Int) throws(Fault) -> [UInt8]? {
      try content.get(key, limit: limit)
    }

    func open(_ key: String) throws(Fault) -> OpenedValue? {
      seen.withLock { seen in
        seen.asked.append(key)
        seen.now += 1
        seen.most = max(seen.most, seen.now)
      }
      defer { seen.withLock { $0.now -= 1 } }
      usleep(3000)
      if key == broken { throw Fault(.remote, key, "the server has gone") }
      return try content.open(key)
    }

    func list(_ prefix: String) throws(Fault) -> [String] { try content.list(prefix) }
    func isFolder(_ key: String) throws(Fault) -> Bool { try content.isFolder(key) }
    func stamp(_ key: String) throws(Fault) -> ValueStamp? { try content.stamp(key) }
  }

  private static let names = [
    "v2-zlib", "v3-zstd", "v3-fill-nan", "v3-shard-zstd", "v3-shard-start", "v3-shard-4d",
    "v3-nested",
  ]

  /// The boxes of the chunks of an array, in C order.
  private func chunks(_ array: ZarrArray) -> [Region] {
    let grid = array.readableGrid
    return (0..<grid.count).map { grid.region(at: grid.position(of: $0)) }
  }

  @Test(arguments: names, ["none", "all", "reversed", "some", "others"])
  func `voxels are the same whatever was announced`(name: String, announced: String) throws {
    let content = try StoredArray(name).store
    let array = try ZarrArray.open(SlowStore(content), path: "")
    let local = ChunkReader(try ZarrArray.open(content, path: ""), context: CodecContext())
    let reader = ChunkReader(array, context: CodecContext())
    let boxes = chunks(array)
    reader.expect {
      let told: [Region] =
        switch announced {
        case "none": []
        case "all": boxes
        case "reversed": boxes.reversed()
        case "some": boxes.indices.filter { $0 % 3 != 1 }.map { boxes[$0] }
        default: [boxes[boxes.count - 1]]
        }
      return told.map { ExpectedBox($0) }
    }
    for box in boxes { #expect(try reader.voxels(box) == local.voxels(box)) }
    let whole = Region(wholeOf: array.metadata.shape)
    #expect(try reader.voxels(whole) == local.voxels(whole))
    #expect(reader.chunksAbsent == local.chunksAbsent)
  }

  @Test(arguments: [("v3-zstd", 2...8), ("v3-shard-zstd", 2...2)])
  func `the next are under way while one is visited`(
    name: String, expected: ClosedRange<Int>
  ) throws {
    let store = SlowStore(try StoredArray(name).store)
    let array = try ZarrArray.open(store, path: "")
    let reader = ChunkReader(array, context: CodecContext())
    // Shard by shard, as passes go.
    let shape = array.metadata.storedChunkShape
    let boxes = chunks(array).sorted { one, other in
      let places = [one, other].map { zip($0.origin, shape).map { $0 / $1 } }
      return places[0].lexicographicallyPrecedes(places[1])
    }
    reader.expect { boxes.map { ExpectedBox($0) } }
    for box in boxes { _ = try reader.voxels(box) }
    #expect(expected.contains(store.most), "\(store.most)")
    #expect(store.asked.count == Set(store.asked).count, "nothing is asked for twice")
    #expect(store.asked.count == array.storedGrid.count)
  }

  @Test(arguments: ["v3-zstd", "v3-shard-zstd"])
  func `nothing is asked for that is not wanted`(name: String) throws {
    let store = SlowStore(try StoredArray(name).store)
    let array = try ZarrArray.open(store, path: "")
    let reader = ChunkReader(array, context: CodecContext())
    let box = Region(origin: [0, 0], shape: [9, 1])
    reader.expect { [ExpectedBox(box) { $0.origin[0] == 0 }] }
    try reader.visit(box, where: { $0.origin[0] == 0 }) { _ in }
    #expect(store.asked == ["c/0/0"])
  }

  @Test(arguments: ["v3-zstd", "v3-shard-zstd"])
  func `a request that fails is a fault when its chunk is visited`(name: String) throws {
    let store = SlowStore(try StoredArray(name).store, broken: "c/1/0")
    let array = try ZarrArray.open(store, path: "")
    var visited: [Region] = []
    expectFault(.remote, "c/1/0", "gone") {
      try ChunkReader(array, context: CodecContext()).visit(Region(wholeOf: [9, 11])) {
        visited.append($0.region)
      }
    }
    let before = chunks(array).filter { $0.origin[0] < array.metadata.storedChunkShape[0] }
    #expect(Set(visited.map(\.origin)) == Set(before.map(\.origin)))
  }
}
