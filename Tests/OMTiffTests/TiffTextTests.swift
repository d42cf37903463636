import OMGrid
import OMJSON
import OMStore
import Testing

@testable import OMTiff

@Suite struct TiffTextTests {
  @Test(arguments: ["XYZCT", "XYCZT", "XYTZC", "XYZTC", "XYCTZ", "XYTCZ"])
  func `a plane is found by its number`(text: String) throws {
    let order = try #require(PlaneOrder(text, (t: 2, c: 3, z: 4)))
    for number in 0..<order.count {
      let plane = order.plane(number)
      #expect(order.number(t: plane.t, c: plane.c, z: plane.z) == number)
    }
    let second = order.plane(1)
    let fastest = text.dropFirst(2).first
    #expect((fastest == "Z" ? second.z : fastest == "C" ? second.c : second.t) == 1)
  }

  @Test(arguments: ["", "XY", "XYZZT", "ZYXCT", "XYZCTT"])
  func `what is no order is none`(text: String) {
    #expect(PlaneOrder(text, (t: 2, c: 3, z: 4)) == nil)
  }

  @Test(arguments: [
    (500.0, "nanometer", "micrometer", 0.5), (0.2, "micrometer", "nanometer", 200),
    (3, "millimeter", "micrometer", 3000), (7, "inch", "inch", 7),
  ])
  func `lengths change their unit`(size: Double, unit: String, other: String, result: Double) {
    #expect(LengthUnit.length(size, in: unit, as: other) == result)
  }

  @Test func `what is written as OME-XML is read again`() throws {
    var text = try OMEXMLText(name: "a <b> & \"µ\"", dataType: .uint16)
    text.sizes = ["x": 5, "y": 6, "z": 2, "c": 2, "t": 3]
    text.scales = ["x": 0.5, "y": 0.25, "z": 2, "t": 1.5]
    text.units = ["x": "micrometer", "y": "micrometer", "z": "micrometer", "t": "second"]
    text.channels = [
      TiffChannel(name: "DAPI", colour: "0000FF"), TiffChannel(name: nil, colour: "FF8000"),
    ]
    #expect(OMEXML.isOne(text.bytes) && text.bytes.allSatisfy { $0 < 0x80 })
    let xml = try OMEXML(text.bytes)
    let image = try #require(xml.images.first)
    #expect(image.name == "a <b> & \"µ\"" && image.order == "XYZCT" && image.type == "uint16")
    #expect(image.sizes == (5, 6, 2, 2, 3))
    #expect(image.scales == text.scales && image.units == text.units)
    #expect(image.channels.map(\.told) == text.channels)
    #expect(image.data.count == 1 && image.data.first?.count == 12)
  }

  @Test(arguments: [DataType.bool, .int64, .uint64, .float16])
  func `a type that OME lacks is refused`(type: DataType) {
    #expect(throws: Fault.self) { try OMEXMLText(name: "", dataType: type) }
  }

  @Test(arguments: [
    "<OME><Image><Pixels SizeX='0'/></Image></OME>", "<OME><Image></OME>", "<OME a=1/>",
    "<OME a='1' a='2'/>", "<OME a='&x;'/>", "<!DOCTYPE x><OME/>",
  ])
  func `OME-XML that is none is refused`(text: String) {
    #expect(throws: Fault.self) { try OMEXML(Array(text.utf8)) }
  }

  @Test func `deep XML is refused, comments and raw text are not`() throws {
    let deep = String(repeating: "<a>", count: 100) + String(repeating: "</a>", count: 100)
    #expect(throws: Fault.self) { try OMEXML(Array("<OME>\(deep)</OME>".utf8)) }
    #expect(OMEXML.isOne(Array("<?xml version='1.0'?><ns0:OME xmlns:ns0='x'/>".utf8)))
    let text = "<!-- <OME> > --><OME UUID='u>v'><![CDATA[<x>]]></OME>"
    #expect(try OMEXML(Array(text.utf8)).identity == "u>v")
  }

  @Test(arguments: [
    (10, 20, 3, false), (2000, 2000, 3, false), (3000, 3000, 2, false), (40_000, 50_000, 3, true),
    // whole tiles at the edge, and many directories
    (2304, 2304, 398, true), (32, 32, 4_100_000, true),
  ])
  func `pages are cut into parts that hold all of them`(
    height: Int, width: Int, pages: Int, isBig: Bool
  ) throws {
    let form = try WrittenTiff(
      page: (height, width), pageCount: pages, dataType: .uint16, compression: .deflate, rows: 256)
    #expect(form.isBig == isBig && form.isTiled == (height * width > 1 << 22))
    #expect(form.grid.rows * form.part.height >= height)
    #expect(form.grid.columns * form.part.width >= width)
    let rows = (0..<form.grid.rows).map(form.rows)
    if !form.isTiled { #expect(rows.reduce(0, +) == height) }
    let bytes = form.directory(
      at: 100, offsets: [1, 2, 3], counts: [4, 5, 6], description: nil, isLast: true)
    #expect(bytes.count.isMultiple(of: 2))
  }

  @Test func `what ImageJ writes is found`() throws {
    let text = try #require(ImageJText(Array("ImageJ=1.54\nimages=6\nslices=6\n".utf8)))
    #expect(text.planes == 6)
    #expect(ImageJText(Array("image".utf8)) == nil)
    #expect(ImageJText([0x49]) == nil)
  }
}
