import OMJSON
import Testing

@testable import OMValidate

@Suite struct DocumentTests {
  @Test func `a document that keeps all rules gives no findings`() {
    let verdict = verdict(image, strict: true)
    #expect(verdict.isValid && verdict.findings.all.isEmpty)
    #expect(verdict.kind == "image" && verdict.version == .v0_5)
  }

  @Test(arguments: [
    "// comment\n{}", "{\"a\": 1,}", "{\"a\": 1, \"a\": 2}", "", "{\"ome\": NaN}",
  ])
  func `what is not strict JSON is refused`(text: String) {
    #expect(verdict(text).rules(.error) == ["document-json"])
  }

  @Test(arguments: ["{}", "[]", "3", "{\"attributes\": {}}", "{\"zarr_format\": 2}"])
  func `a document without anything of OME-Zarr is refused`(text: String) {
    #expect(verdict(text).rules(.error).contains("document-kind"))
  }

  @Test func `drafts of a transformation's ends are read with a warning`() {
    let text = #"{"type": "identity", "input": "a", "output": {"name": "b"}}"#
    #expect(verdict(text).rules(.warning).contains("reference-draft"))
  }

  @Test func `nesting beyond the limit is an error and no crash`() {
    let text = String(repeating: "[", count: 100_000)
    #expect(verdict(text).rules(.error) == ["document-readable"])
  }

  @Test func `what schemas cannot see is a warning in a document alone`() {
    let verdict = verdict(image.replacing("[1, 1]", with: "[1, 1, 1]"), strict: true)
    #expect(verdict.isValid && verdict.rules(.warning) == ["transformation-length"])
  }

  @Test(arguments: [
    (#"{"channels": [], "rdefs": {}}"#, "part of a document"),
    (
      #"{"rows": [{"name": "A"}], "columns": [{"name": "1"}], "version": "0.4", "wells": [{"path": "A/1", "rowIndex": 0, "columnIndex": 0}]}"#,
      "part of a document"
    ),
    (
      #"{"type": "identity", "input": {"name": "a"}, "output": {"name": "b"}}"#,
      "part of a document"
    ),
    (
      #"{"zarr_format": 3, "node_type": "group", "attributes": {"ome": {"version": "0.5", "labels": []}}}"#,
      "list of labels"
    ),
  ])
  func `parts and wholes are told apart`(text: String, kind: String) {
    let verdict = verdict(text)
    #expect(verdict.isValid && verdict.kind == kind)
  }

  @Test(arguments: [
    (#"{"multiscales": [{"datasets": [{"path": "0"}]}]}"#, FormatVersion.v0_1),
    (#"{"multiscales": [{"axes": ["y", "x"], "datasets": [{"path": "0"}]}]}"#, .v0_3),
    (#"{"multiscales": [{"axes": [{"name": "y"}], "datasets": [{"path": "0"}]}]}"#, .v0_4),
    (#"{"plate": {"wells": [{"path": "A/1"}]}}"#, .v0_1),
    (#"{"ome": {"type": "collection", "name": "a", "nodes": []}}"#, .collection),
  ])
  func `the version is told by the shape where it is not written`(
    text: String, version: FormatVersion
  ) {
    #expect(verdict(text).version == version)
  }
}
