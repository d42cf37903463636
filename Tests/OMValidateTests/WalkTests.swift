import OMImage
import OMJSON
import OMStore
import Testing

@testable import OMValidate

@Suite struct WalkTests {
  private static func collection(_ name: String, to path: String) -> String {
    """
    {"ome": {"version": "0.9.dev3", "type": "collection", "name": "\(name)", "nodes": [{"type":
    "collection", "name": "a", "path": {"type": "json", "path": "\(path)"}}]}}
    """
  }

  @Test(arguments: [
    ("./a.zarr", "b", Destination.inside("b/a.zarr")), ("../a", "b/c", .inside("b/a")),
    ("../..", "b/c", .inside("")), ("../../..", "b/c", .outside), ("/etc", "", .outside),
    ("a\\b", "", .outside), ("file:///etc", "", .outside), ("https://a/b", "", .remote),
    ("s3://a/b", "", .remote), ("a//b/.", "", .inside("a/b")),
  ])
  func `paths lead where they say, and never out`(
    path: String, folder: String, expected: Destination
  ) {
    #expect(Destination(path, from: folder) == expected)
  }

  @Test(arguments: [("/", FormatVersion.v0_2), (".", .v0_1)])
  func `keys of chunks tell old versions apart`(separator: String, version: FormatVersion) {
    let verdict = Validator().validate(
      store([
        ".zgroup": #"{"zarr_format": 2}"#,
        ".zattrs": #"{"multiscales": [{"datasets": [{"path": "0"}]}]}"#,
        "0/.zarray": """
        {"zarr_format": 2, "shape": [1, 1, 1, 8, 8], "chunks": [1, 1, 1, 8, 8], "dtype": "<u2",
        "compressor": null, "fill_value": 0, "order": "C", "filters": null,
        "dimension_separator": "\(separator)"}
        """,
      ]))
    #expect(verdict.isValid && verdict.version == version)
    #expect(verdict.rules(.warning) == ["multiscales-version"])
  }

  @Test func `a long chain of collections ends, and a circle in it is found once`() {
    var documents: [String: String] = [:]
    for number in 0..<2000 {
      documents["\(number).json"] = Self.collection("a", to: "\((number + 1) % 2000).json")
    }
    let verdict = Validator().validate(store(documents), document: "0.json")
    #expect(verdict.documents == 2000)
    #expect(verdict.rules(.error) == ["node-cycle"])
    #expect(verdict.findings.count(.error) == 1)
  }

  @Test func `two ways to one document are no circle`() {
    let ways = Self.collection("top", to: "b.json").replacing(
      "}}]}}",
      with: """
        }}, {"type": "collection", "name": "b", "path": {"type": "json", "path": "b.json"}}]}}
        """)
    let last = #"{"ome": {"version": "0.9.dev3", "type": "collection", "name": "b", "nodes": []}}"#
    let verdict = Validator().validate(store(["a.json": ways, "b.json": last]))
    #expect(verdict.isValid && verdict.findings.count(.warning) == 0)
    #expect(verdict.documents == 2)
  }

  @Test func `many findings of one rule are counted and a hundred are kept`() {
    var findings = Findings()
    var all = Findings()
    for _ in 0..<250 {
      findings.add(
        Finding(
          severity: .error, rule: .axesOrder, level: .must, file: "", pointer: JSONPointer(),
          found: nil, message: ""))
    }
    all.add(findings)
    all.add(findings)
    #expect(findings.count(.error) == 250 && findings.all.count == 100)
    #expect(all.count(.axesOrder, .error) == 500 && all.all.count == 100)
  }

  @Test(arguments: [
    ("<OME><Image/><Image ID='1'></Image></OME>", 2), ("<!-- <Image/> --><OME/>", 0),
    ("<a:Image/><ImageRef/>", 1), ("<![CDATA[<Image>]]><Image>", 1), ("<", 0), ("<!--", 0),
  ])
  func `elements of the XML are counted without what is no element`(text: String, count: Int) {
    #expect(imageElements(Array(text.utf8)) == count)
  }
}
