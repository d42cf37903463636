import OMImage
import OMJSON
import OMZarr
import Testing

@Suite struct OMEImageTests {
  @Test(arguments: [Examples.image04(), Examples.image05()])
  func `an image tells its axes, levels and channels`(documents: [String: String]) throws {
    let image = try Examples.open(documents)
    #expect(image.name == "cells")
    #expect(image.axes.map(\.letter) == ["c", "y", "x"])
    #expect(image.axes.map(\.kind) == [.channel, .space, .space])
    #expect(image.axes[1].unit == "micrometer")
    #expect(image.levels.map(\.path) == ["0", "1"])
    #expect(image.levels[0].scale == [1, 0.5, 0.25])
    #expect(image.levels[0].translation == [0, 1.1, 2])
    #expect(image.levels[1].translation == nil)
    #expect(image.channels?.map(\.label) == ["DAPI", nil])
    #expect(image.channels?.first?.wavelengthID == "A01_C01")
    #expect(image.channelAxis == 0)
    #expect(try image.arrays().map(\.metadata.shape) == [[2, 8, 8], [2, 4, 4]])
    #expect(image.warnings == [])
  }

  @Test func `the version decides where documents lie`() throws {
    #expect(try Examples.open(Examples.image04()).version == .v0_4)
    #expect(try Examples.open(Examples.image05()).version == .v0_5)
    #expect(try Examples.open(Examples.image04()).subject == ".zattrs")
  }

  private static let broken: [(String, String, FaultKind, String)] = [
    (#"{"name": "c", "type": "channel"},"#, "", .metadata, "3 numbers, there are 2 axes"),
    (#""name": "y""#, #""name": "x""#, .metadata, "twice"),
    ("[1, 0.50, 0.25]", "[1, 0, 0.25]", .metadata, "a scale is 0"),
    ("[1, 0.50, 0.25]", "[1, 0.5]", .metadata, "`scale` has 2 numbers, there are 3 axes"),
    ("[1, 0.50, 0.25]", "[1, true, 0.25]", .metadata, "a list of numbers"),
    ("[0, 1.10, 2]", "[0]", .metadata, "`translation` has 1 numbers"),
    (#""type": "translation""#, #""type": "scale""#, .metadata, "scale, scale"),
    (#""path": "0""#, #""path": "../secret.zarr/0""#, .path, "`..`"),
    (#""path": "0""#, #""path": "/etc""#, .path, "begins with `/`"),
    (#""path": "0", "#, "", .metadata, "`path` is missing"),
    (#""axes": ["#, #""axes": 3, "old": ["#, .metadata, "`axes` is 3"),
  ]

  @Test(arguments: broken, ["0.4", "0.5"])
  func `broken metadata is refused and the document named`(
    _ example: (old: String, new: String, kind: FaultKind, message: String), version: String
  ) throws {
    let text = Examples.multiscale.replacing(example.old, with: example.new, maxReplacements: 1)
    #expect(text != Examples.multiscale)
    let documents =
      version == "0.4" ? Examples.image04(multiscale: text) : Examples.image05(multiscale: text)
    let fault = try #require(throws: Fault.self) { try Examples.open(documents) }
    #expect(fault.kind == example.kind && fault.message.contains(example.message), "\(fault)")
    #expect(fault.subject == (version == "0.4" ? "memory/.zattrs" : "memory/zarr.json"))
  }

  @Test(arguments: [
    (#"[{"name": "x", "type": "space"}, {"name": "y", "type": "space"}]"#, "x, y"),
    (
      #"[{"name": "y", "type": "space"}, {"name": "x", "type": "space"}, {"name": "t", "type": "time"}]"#,
      "time"
    ),
    (#"[{"name": "x", "type": "space"}]"#, "1 axes"),
    (#"[{"name": "c", "type": "channel"}, {"name": "x", "type": "space"}]"#, "space"),
  ])
  func `axes in a wrong number or order are refused`(axes: String, named: String) throws {
    let text = #"{"axes": \#(axes), "datasets": []}"#
    let fault = try #require(throws: Fault.self) {
      try Examples.open(Examples.image05(multiscale: text))
    }
    #expect(fault.kind == .metadata && fault.message.contains(named), "\(fault)")
  }

  @Test func `no levels and no images are refused`() throws {
    let axes = #"[{"name": "y", "type": "space"}, {"name": "x", "type": "space"}]"#
    let empty = Examples.image05(multiscale: #"{"axes": \#(axes), "datasets": []}"#)
    #expect(throws: Fault.self) { try Examples.open(empty) }
    #expect(throws: Fault.self) { try Examples.open(Examples.image05(multiscale: "")) }
  }

  @Test(arguments: ["0.7", "0.6.dev2", "0.5-dev1", "9.9"])
  func `another version is unsupported and named`(version: String) throws {
    var v3 = Examples.image05()
    v3["zarr.json"] = v3["zarr.json"]?.replacing(
      #""version": "0.5""#, with: #""version": "\#(version)""#)
    let text = Examples.multiscale.replacing(
      #"{"name": "cells""#, with: #"{"version": "\#(version)", "name": "cells""#)
    for documents in [v3, Examples.image04(multiscale: text)] {
      let fault = try #require(throws: Fault.self) { try Examples.open(documents) }
      #expect(fault.kind == .unsupported && fault.message.contains(version), "\(fault)")
    }
  }

  @Test func `a version that does not go with the Zarr format is refused`() throws {
    let text = Examples.multiscale.replacing(
      #"{"name": "cells""#, with: #"{"version": "0.5", "name": "cells""#)
    let fault = try #require(throws: Fault.self) {
      try Examples.open(Examples.image04(multiscale: text))
    }
    #expect(fault.kind == .metadata && fault.message.contains("Zarr v3"))
  }

  @Test func `old axes without version are known by their shape`() throws {
    let names = #"{"axes": ["c", "y", "x"], "datasets": [{"path": "0"}]}"#
    #expect(try Examples.open(Examples.image04(multiscale: names)).version == .v0_3)
  }

  @Test func `images before 0_3 have five axes`() throws {
    let none = #"{"datasets": [{"path": "0"}]}"#
    let fault = try #require(throws: Fault.self) {
      try Examples.open(Examples.image04(multiscale: none))
    }
    #expect(fault.kind == .metadata && fault.message.contains("t, c, z, y, x"), "\(fault)")
  }

  @Test func `metadata outside ome and a missing version are read with a warning`() throws {
    var outside = Examples.image05()
    outside["zarr.json"] = Examples.group05(#"{"multiscales": [\#(Examples.multiscale)]}"#)
    #expect(try Examples.open(outside).warnings.first?.contains("outside `ome`") == true)
    var unversioned = Examples.image05()
    unversioned["zarr.json"] = unversioned["zarr.json"]?.replacing(#""version": "0.5", "#, with: "")
    let image = try Examples.open(unversioned)
    #expect(image.version == .v0_5 && image.warnings.count == 1)
  }

  @Test func `an image without omero, or with a broken one, is read`() throws {
    var documents = Examples.image04()
    documents[".zattrs"] = #"{"multiscales": [\#(Examples.multiscale)]}"#
    #expect(try Examples.open(documents).channels == nil)
    documents[".zattrs"] = #"{"multiscales": [\#(Examples.multiscale)], "omero": {"channels": 3}}"#
    let image = try Examples.open(documents)
    #expect(image.channels == nil && image.warnings.count == 1)
  }
}
