import OMImage
import OMJSON
import OMStore
import Testing

@Suite struct AxisOrderTests {
  /// An image of some axes, in any order, whose scales are 1, 2, 3 and so on.
  private func image(_ names: String) throws -> OMEImage {
    let types = ["t": "time", "c": "channel"]
    let axes = names.map { #"{"name": "\#($0)", "type": "\#(types[String($0)] ?? "space")"}"# }
    let scale = (1...names.count).map { "\($0).0" }.joined(separator: ", ")
    let text = #"""
      {"zarr_format": 3, "node_type": "group", "attributes": {"ome": {"version": "0.5",
        "multiscales": [{"axes": [\#(axes.joined(separator: ", "))], "datasets": [{"path": "0",
        "coordinateTransformations": [{"type": "scale", "scale": [\#(scale)]}]}]}]}}}
      """#
    let store = MemoryStore(["zarr.json": Array(text.utf8)])
    return try OMEImage.open(ImageLocation(store: store, path: ""), axes: .inAnyOrder)
  }

  private func letters(_ text: String) -> [String] { text.map(String.init) }

  @Test(
    arguments: [
      ("zyx", "tczyx", [nil, nil, 0, 1, 2]), ("zyxc", "czyx", [3, 0, 1, 2]),
      ("tczyx", "tczyx", [0, 1, 2, 3, 4]), ("xy", "yx", [1, 0]),
    ] as [(String, String, [Int?])])
  func `every axis of a copy comes from the axis of its name`(
    names: String, wanted: String, sources: [Int?]
  ) throws {
    let shape = names.map { _ in 5 }
    let order = try AxisOrder(letters(wanted), of: try image(names), shape)
    #expect(order.sources == sources)
    #expect(order.axes.map(\.letter) == letters(wanted))
    #expect(order.values(Array(0..<names.count), new: -1) == sources.map { $0 ?? -1 })
    #expect(
      order.sourceValues(
        order.values(Array(0..<names.count), new: -1), rank: names.count, dropped: 9)
        == Array(0..<names.count))
  }

  @Test func `without a wish the axes come in the order of OME-Zarr`() throws {
    let order = try AxisOrder(nil, of: try image("yxzct"), [2, 3, 4, 5, 6])
    #expect(order.axes.map(\.letter) == ["t", "c", "z", "y", "x"])
    #expect(!order.isInOrder && !order.isSame)
  }

  @Test func `scales follow their axes, and new ones are 1`() throws {
    let image = try image("zyxc")
    let order = try AxisOrder(letters("tczyx"), of: image, [2, 3, 4, 5])
    let list = image.levels[0].transformations.document(along: order)
    #expect(
      list.arrayValue?[0]["scale"] == [
        1.0, .number("4.0"), .number("1.0"), .number("2.0"), .number("3.0"),
      ])
  }

  @Test func `an axis with voxels is not left out`() throws {
    let image = try image("czyx")
    #expect(throws: Fault.self) { try AxisOrder(letters("zyx"), of: image, [2, 5, 5, 5]) }
    #expect(try AxisOrder(letters("zyx"), of: image, [1, 5, 5, 5]).sources == [1, 2, 3])
  }

  @Test(arguments: ["zyxc", "xyz", "ztyx", "yxt"])
  func `other readers refuse another order`(names: String) throws {
    let image = try image(names)
    #expect(throws: Fault.self) { try OMEImage.open(image.location) }
  }

  @Test(arguments: ["zx", "cc", "ttyx", "yzq", "qct", "zzyx", "x", "tcz"])
  func `broken lists of axes are refused in any order`(names: String) {
    #expect(throws: Fault.self) { try image(names) }
  }
}
