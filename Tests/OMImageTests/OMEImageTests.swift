import OMImage
import OMJSON
import OMStore
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

  /// Axes as `name` or `name:type`, in a version.
  private func image(
    _ axes: String, _ version: String = "0.5", axes use: AxisUse = .inOrder
  ) throws -> OMEImage {
    let types = ["t": "time", "c": "channel"]
    let list = axes.split(separator: " ").map { word in
      let parts = word.split(separator: ":").map(String.init)
      let type = parts.count > 1 ? parts[1] : types[parts[0]] ?? "space"
      return #"{"name": "\#(parts[0])", "type": "\#(type)"}"#
    }.joined(separator: ", ")
    let scale = axes.split(separator: " ").map { _ in "1" }.joined(separator: ", ")
    let step = #""type": "scale", "scale": [\#(scale)]"#
    let ends = #""input": {"path": "0"}, "output": {"name": "p"}"#
    let text =
      version == "0.5"
      ? #"{"axes": [\#(list)], "datasets": [{"path": "0", "coordinateTransformations": [{\#(step)}]}]}"#
      : #"""
      {"coordinateSystems": [{"name": "p", "axes": [\#(list)]}],
       "datasets": [{"path": "0", "coordinateTransformations": [{\#(step), \#(ends)}]}]}
      """#
    let document = Examples.group05(
      #"{"ome": {"version": "\#(version)", "multiscales": [\#(text)]}}"#)
    let names = axes.split(separator: " ").map { "\"\($0.prefix { $0 != ":" })\"" }
    let shape = "[\(names.map { _ in "4" }.joined(separator: ", "))]"
    let array = Examples.array05(shape, names: "[\(names.joined(separator: ", "))]")
      .replacing("[1, 4, 4]", with: shape)
    let store = Examples.store(["zarr.json": document, "0/zarr.json": array])
    return try OMEImage.open(ImageLocation(store: store, path: ""), axes: use)
  }

  private static let invalid = [
    ("y x t", "0.5"), ("x", "0.5"), ("c x", "0.5"), ("t c z y x a:b", "0.5"),
    ("t u:time y x", "0.5"),
    ("c d:channel y x", "0.6"), ("a:array y:channel x:channel", "0.6"), ("c t", "0.6"),
    ("y y", "0.9.dev1"),
  ]

  @Test(arguments: invalid, [AxisUse.inOrder, .any])
  func `axes that a version does not allow are invalid`(
    _ example: (axes: String, version: String), use: AxisUse
  ) throws {
    let fault = try #require(throws: Fault.self) {
      try image(example.axes, example.version, axes: use)
    }
    #expect(fault.kind == .metadata, "\(fault)")
  }

  @Test(
    arguments: [
      ("x y z", "0.5", "x y z", true), ("c x y", "0.5", "c x y", true), ("b a", "0.5", "y x", nil),
      ("y x c", "0.9.dev1", "y x c", true), ("x", "0.9.dev1", "x", false),
      ("t c z y x w", "0.9.dev2", "t c z y x w", false), ("c t", "0.9.dev1", "c t", false),
      ("a:array b:array", "0.6", "a b", false), ("c a:array b:array", "0.6", "c a b", false),
    ] as [(String, String, String, Bool?)])
  func `axes that tasks cannot use are looked at, and refused as unsupported`(
    axes: String, version: String, letters: String, isConvertible: Bool?
  ) throws {
    let found = try image(axes, version, axes: .any)
    #expect(found.axes.map(\.letter).joined(separator: " ") == letters)
    guard let isConvertible else { return _ = try image(axes, version) }
    let fault = try #require(throws: Fault.self) { try image(axes, version) }
    #expect(fault.kind == .unsupported && fault.subject == "memory/zarr.json", "\(fault)")
    #expect((fault.hint?.contains("convert") == true) == isConvertible, "\(fault)")
    if isConvertible {
      #expect(try image(axes, version, axes: .inAnyOrder).axes == found.axes)
    } else {
      #expect(throws: Fault.self) { try image(axes, version, axes: .inAnyOrder) }
    }
  }

  @Test func `what comes behind the levels is part of the size of a voxel`() throws {
    let image = try Examples.open(Examples.image05())
    #expect(image.scale(of: image.levels[0]) == [9, 0.5e-3, 0.5])
    #expect(image.translation(of: image.levels[0]) == [0, 1.1e-3, 4])
    #expect(image.translation(of: image.levels[1]) == nil)
  }

  @Test func `no levels and no images are refused`() throws {
    let axes = #"[{"name": "y", "type": "space"}, {"name": "x", "type": "space"}]"#
    let empty = Examples.image05(multiscale: #"{"axes": \#(axes), "datasets": []}"#)
    #expect(throws: Fault.self) { try Examples.open(empty) }
    #expect(throws: Fault.self) { try Examples.open(Examples.image05(multiscale: "")) }
  }

  @Test(arguments: ["0.7", "0.8", "0.6.dev2 ", "9.9"])
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

  @Test(arguments: ["0.5-dev1", "0.5-dev"])
  func `a draft is read as the release that replaced it`(version: String) throws {
    var documents = Examples.image05()
    documents["zarr.json"] = documents["zarr.json"]?.replacing(
      #""version": "0.5""#, with: #""version": "\#(version)""#)
    let image = try Examples.open(documents)
    #expect(image.version.rawValue == version && image.version.form == .v0_5)
    #expect(image.warnings.count == 1 && image.warnings[0].contains("a draft of 0.5"))
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
