import OMJSON
import Testing

@testable import OMStore

@Suite struct ZipWriterTests {
  /// Writes values into an archive in a folder, metadata first.
  static func write(
    _ values: [String: [UInt8]], to folder: TemporaryFolder, _ name: String = "a.zip"
  ) throws {
    let keys = values.keys.sorted { ($0 == "zarr.json" ? "" : $0) < ($1 == "zarr.json" ? "" : $1) }
    let file = try folder.output().place(name)
    let writer = ZipWriter(
      keys.map { ZipWriter.Entry(key: $0, size: values[$0]?.count ?? 0) }, version: "0.5", to: file)
    for (number, key) in keys.enumerated().reversed() {
      try writer.write(number, OpenedValue(key: key, bytes: values[key] ?? []))
    }
    try writer.finish()
    try file.close(durable: false)
  }

  @Test func `what is written reads back, in whatever order it was written`() throws {
    let folder = TemporaryFolder()
    var values = EveryStoreTests.values
    values["µ/größe"] = Array(repeating: 7, count: 3 << 20)
    try Self.write(values, to: folder)
    let store = try ZipStore(path: folder.path + "/a.zip")
    for (key, bytes) in values { #expect(try store.get(key, limit: 1 << 30) == bytes) }
    #expect(store.count == values.count && store.version == "0.5" && store.isJSONFirst == true)
  }

  @Test func `a value that has another size by now is refused`() throws {
    let folder = TemporaryFolder()
    let file = try folder.output().place("a.zip")
    let writer = ZipWriter([ZipWriter.Entry(key: "a", size: 3)], version: "0.5", to: file)
    expectFault(.locked, "a", "has 2 bytes, it had 3") { () throws(Fault) in
      try writer.write(0, OpenedValue(key: "a", bytes: [1, 2]))
    }
    expectFault(.internal, "a", "was not written") { () throws(Fault) in try writer.finish() }
  }
}
