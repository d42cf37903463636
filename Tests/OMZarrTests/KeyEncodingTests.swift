import Testing

@testable import OMZarr

@Suite struct KeyEncodingTests {
  @Test(arguments: [
    ("c", ChunkName.folder), ("c/0", .folder), ("c/0/2", .folder), ("c/1/2/3", .chunk([1, 2, 3])),
    ("c/1/2/4", .stray), ("c/2/0/0", .stray), ("c/01/0/0", .stray), ("c/+1/0/0", .stray),
    ("c/1/2/3/0", .stray), ("c/1/2/.3.0.tmp", .stray), ("0/0/0", .stray), ("cc", .stray),
    ("c//0", .stray), ("c/-1", .stray), ("c/99999999999999999999", .stray),
  ])
  func `names below a v3 array are chunks, folders of chunks or strays`(
    key: String, name: ChunkName
  ) {
    #expect(KeyEncoding.v3().classify(key, gridShape: [2, 3, 4]) == name)
  }

  @Test(arguments: [
    (KeyEncoding.v2(separator: "."), "1.2", ChunkName.chunk([1, 2])),
    (.v2(separator: "."), "1", .stray), (.v2(separator: "."), "1/2", .stray),
    (.v2(separator: "/"), "1", .folder), (.v2(separator: "/"), "1/2", .chunk([1, 2])),
    (.v3(separator: "."), "c.1.2", .chunk([1, 2])), (.v3(separator: "."), "c", .stray),
    (.v3(separator: "."), "c/1/2", .stray),
  ])
  func `every separator is known`(encoding: KeyEncoding, key: String, name: ChunkName) {
    #expect(encoding.classify(key, gridShape: [2, 3]) == name)
  }

  @Test func `an array without axes has one chunk`() {
    #expect(KeyEncoding.v3().classify("c", gridShape: []) == .chunk([]))
    #expect(KeyEncoding.v2(separator: ".").classify("0", gridShape: []) == .chunk([]))
    #expect(KeyEncoding.v3().classify("c/0", gridShape: []) == .stray)
  }

  @Test(arguments: [[0], [5], [3, 4], [2, 3, 4]])
  func `every key that is made is known again`(grid: [Int]) {
    for encoding in [
      KeyEncoding.v3(), .v3(separator: "."), .v2(separator: "/"), .v2(separator: "."),
    ] {
      let last = grid.map { max(0, $0 - 1) }
      let expected: ChunkName = grid.contains(0) ? .stray : .chunk(last)
      #expect(encoding.classify(encoding.key(last), gridShape: grid) == expected)
    }
  }
}
