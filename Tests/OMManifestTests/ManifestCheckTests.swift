import Foundation
import OMJSON
import OMManifest
import Testing

@Suite struct ManifestCheckTests {
  @Test func `a good manifest has no mistakes`() throws {
    #expect(errors(Examples.blur).isEmpty)
    for (name, text) in try Examples.shipped() {
      let findings = ManifestCheck.findings(inText: Array(text.utf8), subject: name)
      #expect(findings.map(\.finding.message) == [], "\(name)")
    }
  }

  @Test func `the manifest in the documentation has no mistakes`() throws {
    let page = try String(
      contentsOf: Examples.package.appending(path: "docs/manifest.md"), encoding: .utf8)
    let parts = page.components(separatedBy: "```")
    let text = try #require(parts.first { $0.hasPrefix("json\n") }).dropFirst(5)
    let findings = ManifestCheck.findings(inText: Array(text.utf8), subject: "manifest.md")
    #expect(findings.map(\.finding.message) == [])
  }

  @Test(arguments: BrokenManifest.server + BrokenManifest.schema + BrokenManifest.own)
  func `a mistake is found where it is`(broken: BrokenManifest) throws {
    #expect(Examples.blur.contains(broken.old), "the manifest has no \(broken.old)")
    let text = Examples.blur(replacing: broken.old, by: broken.new)
    let place = try #require(placeOf(broken.at, in: text), "the text has no \(broken.at)")
    let found = errors(text)
    let isFound = found.contains { finding, at in
      finding.rule.name == broken.rule && finding.message.contains(broken.words) && at == place
    }
    #expect(isFound, "at \(place), found: \(found)")
  }

  @Test(arguments: BrokenManifest.server + BrokenManifest.own)
  func `what a run refuses is found`(broken: BrokenManifest) {
    let text = Examples.blur(replacing: broken.old, by: broken.new)
    let isRead = (try? Manifest(text: text, subject: "blur.json")) != nil
    #expect(isRead || !errors(text).isEmpty)
  }

  @Test func `all mistakes are told, in the order of the text`() {
    var text = Examples.blur
    for (old, new) in [
      (#""overwrite", "examples""#, ""), (#""tags": ["Blur"]"#, #""tags": [""]"#),
      (#""minimum": 1, "max"#, #""minimun": 1, "max"#),
      (#""exactness": "T""#, #""exactness": "t""#),
      (#""sigma": "micro"#, #""sgma": "micro"#),
    ] { text = text.replacingOccurrences(of: old, with: new) }
    let found = errors(text)
    #expect(found.map(\.0.rule.name) == ["server", "form", "omtask", "omtask"])
    #expect(found.map(\.1) == found.map(\.1).sorted())
  }

  @Test func `references that lead round and round come to an end`() {
    let parts = (0..<9).map { ##"{"$ref": "#/$defs/r\##($0)"}"## }.joined(separator: ", ")
    let named = (0..<9).map { #""r\#($0)": {"anyOf": [\#(parts)]}"# }.joined(separator: ", ")
    let text = Examples.blur(
      replacing: #""title": "Blur", "#, by: #""title": "Blur", "$defs": {\#(named)}, "#)
    let cycle = text.replacingOccurrences(
      of: #""title": "Sigma""#, with: ##""default": 1, "$ref": "#/$defs/r0""##)
    #expect(cycle != text && text != Examples.blur)
    #expect(!errors(cycle).isEmpty)
  }

  @Test(
    "a list of tasks is checked as Fractal reads it",
    arguments: [
      (#""manifest_version": "2","#, #""manifest_version": 2,"#, "expected a string"),
      (#""manifest_version": "2","#, "", "`manifest_version` is missing"),
      (#""manifest_version": "2","#, #""manifest_version": "3","#, #"expected "2""#),
      (#""authors": "Us""#, #""authors": ["Us"]"#, "expected a string"),
      (#""authors": "Us""#, #""authors": """#, "empty string"),
      ("pydantic_v2", "pydantic_v3", "forms know"),
      (#""args_schema_version": "pydantic_v2","#, "", "no form is shown"),
      (#""has_args_schemas": true"#, #""has_args_schemas": null"#, "true or false"),
      (#""authors""#, #""author""#, "did you mean"),
      (#""name": "B""#, #""name": "A""#, #"a second task has the name "A""#),
      (#""args_schema_non_parallel": {"#, #""args_schema_non_paralell": {"#, "needs one"),
      (#""zarr_urls": {"#, #""zarr_url": {"#, "`zarr_urls` is missing"),
      (#""task_list": ["#, #""task_list": [3, "#, "list of objects"),
    ])
  func lists(old: String, new: String, words: String) {
    #expect(errors(Self.list).isEmpty, "\(errors(Self.list))")
    #expect(Self.list.contains(old))
    let found = errors(Self.list.replacingOccurrences(of: old, with: new))
    let texts = found.map { $0.0.message + ($0.0.fix ?? "") }
    #expect(texts.contains { $0.contains(words) }, "\(texts)")
  }

  @Test(
    "advice is a note and no mistake",
    arguments: [
      (#""title": "Sigma""#, #""description": "x""#, "`sigma` has no title"),
      (#""minimum": 0, "title""#, #""exclusiveMinimum": 0, "title""#, "as 1"),
      (#""Image Processing""#, #""Blurring""#, "customary are"),
      ("### Purpose", "Blurs", "headings"),
      (#""tags""#, #""output_types": {"blurred": true}, "tags""#, "its own results"),
      (#""tags""#, #""modality": "STED", "tags""#, "customary are HCS"),
    ])
  func advice(old: String, new: String, words: String) {
    let text = Examples.blur(replacing: old, by: new)
    let found = ManifestCheck.findings(inText: Array(text.utf8), subject: "blur.json")
    #expect(
      found.contains { $0.finding.severity == .note && $0.finding.message.contains(words) })
  }

  @Test(arguments: [
    (#""contract": "region", "command": ["./blur.sh", "x.py"]"#, "./blur.sh"),
    (#""contract": "image", "command": ["bin/blur"]"#, "bin/blur"),
    (#""contract": "image""#, "bin/omtask"),
    (#""contract": "region", "command": ["python3", "x.py"]"#, nil),
    (#""contract": "region", "command": ["/opt/blur"]"#, nil),
    (#""contract": "region", "command": ["./blur"], "environment": {"apptainer": "a.sif"}"#, nil),
    (#""contract": "kernel""#, nil),
  ])
  func `a program that is not there is noted`(block: String, program: String?) {
    let text = Examples.blur(replacing: #""contract": "kernel""#, by: block)
    let notes = { (isThere: Bool) in
      ManifestCheck.findings(inText: Array(text.utf8), subject: "blur.json") { _ in isThere }
        .map(\.finding.message).filter { $0.contains("is not there") }
    }
    #expect(notes(true) == [])
    let wanted = program.map { ["the program `\($0)` is not there"] } ?? []
    #expect(notes(false).map { String($0.prefix { $0 != "," }) } == wanted)
  }

  @Test func `null means absent only where Fractal says so`() {
    for key in ["category", "modality", "docs_link", "executable_non_parallel", "type"] {
      let text = Self.list.replacingOccurrences(
        of: #"{"name": "A","#, with: #"{"name": "A", "\#(key)": null,"#)
      #expect(errors(text).isEmpty, "\(key)")
    }
    for key in ["tags", "input_types", "output_types", "meta_parallel", "meta_non_parallel"] {
      let text = Self.list.replacingOccurrences(
        of: #"{"name": "A","#, with: #"{"name": "A", "\#(key)": null,"#)
      #expect(errors(text).map(\.0.fix) == ["leave it out"], "\(key)")
    }
  }

  private static let list = #"""
    {"manifest_version": "2", "has_args_schemas": true,
     "args_schema_version": "pydantic_v2", "authors": "Us", "task_list": [
      {"name": "A", "executable_parallel": "a.py",
       "args_schema_parallel": {"type": "object", "properties": {"zarr_url": {"type": "string"}},
                                "required": ["zarr_url"]}},
      {"name": "B", "type": "non_parallel", "executable_non_parallel": "b.py",
       "args_schema_non_parallel": {"type": "object", "properties": {
         "zarr_urls": {"type": "array", "items": {"type": "string"}},
         "zarr_dir": {"type": "string"}}, "required": ["zarr_urls", "zarr_dir"]}}]}
    """#

  private func errors(_ text: String) -> [(ManifestFinding, TextPlace)] {
    ManifestCheck.findings(inText: Array(text.utf8), subject: "blur.json")
      .filter { $0.finding.severity == .error }.map { ($0.finding, $0.place) }
  }

  /// The place at which a piece of a text begins first.
  private func placeOf(_ piece: String, in text: String) -> TextPlace? {
    guard let range = text.range(of: piece) else { return nil }
    let before = text[..<range.lowerBound].split(
      separator: "\n", omittingEmptySubsequences: false)
    return TextPlace(line: before.count, column: (before.last?.count ?? 0) + 1)
  }
}
