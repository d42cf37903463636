import OMGrid
import OMJSON
import OMRun
import Testing

@testable import OMCommands

@Suite struct ParameterWordsTests {
  private func sorted(_ words: [String]) throws -> (uris: [String], values: [String]) {
    let sorted = try ParameterWords(words, manifest: thresholdManifest(), flags: ["threads"])
    return (sorted.uris, sorted.values.map { "\($0.name)=\($0.text ?? "(none)")" })
  }

  @Test func `URIs and parameters may stand in any order`() throws {
    let (uris, values) = try sorted(["a.zarr", "--method", "otsu", "b.zarr", "--min-size=50"])
    #expect(uris == ["a.zarr", "b.zarr"])
    #expect(values == ["method=otsu", "min-size=50"])
  }

  @Test(arguments: [
    (["--lower-bound", "-5"], "lower-bound=-5"), (["--lower-bound=-1e-3"], "lower-bound=-1e-3"),
    (["--label-name", "s3://x/y"], "label-name=s3://x/y"), (["--label-name="], "label-name="),
    (["--label-name=--x"], "label-name=--x"), (["--label-name", "-x"], "label-name=-x"),
    (["--min_size", "3"], "min_size=3"), (["--label-name", "a=b"], "label-name=a=b"),
  ])
  func `values are taken as they are written`(words: [String], value: String) throws {
    #expect(try sorted(words).values == [value])
  }

  @Test(arguments: [
    (["--overwrite", "a.zarr"], "overwrite=(none)", ["a.zarr"]),
    (["--overwrite", "true", "a.zarr"], "overwrite=true", ["a.zarr"]),
    (["--objects", "False"], "objects=False", []), (["--objects=false"], "objects=false", []),
    (["--no-objects", "a.zarr"], "no-objects=(none)", ["a.zarr"]),
  ])
  func `a switch leaves the next word alone unless it is true or false`(
    words: [String], value: String, uris: [String]
  ) throws {
    let result = try sorted(words)
    #expect(result.values == [value])
    #expect(result.uris == uris)
  }

  @Test func `after two dashes everything is an image`() throws {
    let (uris, values) = try sorted(["--inclusive", "--", "--threshold", "-5", "--"])
    #expect(uris == ["--threshold", "-5", "--"])
    #expect(values == ["inclusive=(none)"])
  }

  @Test(arguments: [
    (["--thresold", "4"], "threshold has no parameter or flag `--thresold`", "--threshold"),
    (["--thread", "4"], "threshold has no parameter or flag `--thread`", "--threads"),
    (["--no-objekts"], "threshold has no parameter or flag `--no-objekts`", nil),
    (["-5"], "threshold has no parameter or flag `-5`", nil),
    (["--method"], "`--method` stands without a value", nil),
    (["--method", "--inclusive"], "`--method` stands without a value, `--inclusive` follows", nil),
    (["--method", "--"], "`--method` stands without a value, `--` follows", nil),
    ([""], "one of the images is an empty text", nil),
  ])
  func `a mistake names the word and the nearest name`(
    words: [String], message: String, nearest: String?
  ) throws {
    let fault = #expect(throws: Fault.self) { try sorted(words) }
    #expect(fault?.kind == .usage)
    #expect(fault?.message == message)
    #expect(nearest.map { fault?.hint?.contains("did you mean `\($0)`?") == true } ?? true)
  }
}

@Suite struct SelectionTests {
  @Test func `ranges and single indices are read`() throws {
    let selection = try parseSelection(["t=0:10,z=3", "c=2:", "y=:5"])
    #expect(
      selection == [
        "t": SelectionRange(lower: 0, upper: 10), "z": SelectionRange(lower: 3, upper: 4),
        "c": SelectionRange(lower: 2, upper: nil), "y": SelectionRange(lower: 0, upper: 5),
      ])
  }

  @Test(arguments: [
    "t", "t=", "=3", "t=3:3", "t=9:3", "t=a", "t=-1", "t=1:2:3", "t=1,t=2", "", "t=0x1", "t=1,",
    "t=99999999999999999999",
  ])
  func `what is no selection is refused`(text: String) {
    #expect(throws: Fault.self) { try parseSelection([text]) }
  }

  @Test func `a selection becomes a box`() throws {
    let selection = try parseSelection(["t=1,z=2:"])
    let region = try selectedRegion(selection, axes: ["t", "z", "y"], shape: [3, 5, 7])
    #expect(region.description == "1:2,2:5,0:7")
  }

  @Test(arguments: ["c=0", "t=3", "z=4:6"])
  func `an axis or index that is not there is refused`(text: String) throws {
    let selection = try parseSelection([text])
    let fault = #expect(throws: Fault.self) {
      try selectedRegion(selection, axes: ["t", "z", "y"], shape: [3, 5, 7])
    }
    #expect(fault?.kind == .usage)
  }
}
