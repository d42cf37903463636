import OMJSON
import OMStore
import OMZarr
import Testing

/// Groups of both formats.
struct ZarrGroupTests {
  @Test func `a v3 group is read with its attributes`() throws {
    let document: JSON = [
      "zarr_format": 3, "node_type": "group", "attributes": ["a": 1],
      "consolidated_metadata": ["kind": "inline", "must_understand": false, "metadata": [:]],
    ]
    let group = try ZarrGroup.open(MemoryStore(["g/zarr.json": document.bytes()]), path: "g")
    #expect(group?.zarrFormat == 3)
    #expect(group?.attributes == ["a": 1])
    #expect(group?.document == document)
  }

  @Test func `a v2 group is read with its attributes`() throws {
    let store = MemoryStore([
      ".zgroup": Array("{\"zarr_format\": 2}".utf8), ".zattrs": Array("{\"a\": 1}".utf8),
    ])
    let group = try ZarrGroup.open(store, path: "")
    #expect(group?.zarrFormat == 2)
    #expect(group?.attributes == ["a": 1])
  }

  @Test func `an array is no group, and nothing is none`() throws {
    let store = MemoryStore(["zarr.json": JSON.object(MetadataV3Tests.document).bytes()])
    #expect(try ZarrGroup.open(store, path: "")?.document == nil)
    #expect(try ZarrGroup.open(MemoryStore(), path: "x")?.document == nil)
  }

  @Test(
    arguments: [
      (["zarr_format": 3], FaultKind.metadata, "`node_type` is missing"),
      (["zarr_format": 3, "node_type": "table"], .metadata, "\"table\""),
      (["zarr_format": 3, "node_type": "group", "x": 1], .unsupported, "the member `x`"),
      (["zarr_format": 9, "node_type": "group"], .unsupported, "`zarr_format` is 9"),
      ([1], .metadata, "the document is a list"),
    ] as [(JSON, FaultKind, String)])
  func `a group that breaks a rule is refused`(document: JSON, kind: FaultKind, words: String) {
    expectFault(kind, "zarr.json", words) {
      try ZarrGroup.open(MemoryStore(["zarr.json": document.bytes()]), path: "")
    }
  }
}
