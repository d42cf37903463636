import OMImage
import OMJSON
import Testing

@Suite struct SeriesListTests {
  /// A group of bioformats2raw, Zarr v2 or v3, with images at these paths.
  private func group(
    _ format: Int = 3, images: [String] = ["0", "1", "2"], series: String? = nil,
    xml: String? = nil, layout: String = "3"
  ) -> [String: String] {
    let layout = #""bioformats2raw.layout": \#(layout)"#
    var documents: [String: String] = [:]
    if format == 2 {
      documents = [".zgroup": #"{"zarr_format": 2}"#, ".zattrs": "{\(layout)}"]
      if let series {
        documents["OME/.zgroup"] = #"{"zarr_format": 2}"#
        documents["OME/.zattrs"] = #"{"series": \#(series)}"#
      }
    } else {
      documents["zarr.json"] = Examples.group05(#"{"ome": {"version": "0.5", \#(layout)}}"#)
      documents["OME/zarr.json"] = series.map {
        Examples.group05(#"{"ome": {"version": "0.5", "series": \#($0)}}"#)
      }
    }
    documents["OME/METADATA.ome.xml"] = xml
    return images.reduce(documents) {
      $0 + (format == 2 ? Examples.image04($1) : Examples.image05($1))
    }
  }

  private func open(_ documents: [String: String]) throws -> ImageSource {
    try ImageSource.open(
      ImageLocation(store: Examples.store(documents), path: ""), filter: try WellFilter())
  }

  @Test(arguments: [2, 3]) func `images come in the order that OME lists`(format: Int) throws {
    let source = try open(group(format, series: #"["0", "2", "1"]"#))
    #expect(source.kind == .series)
    #expect(source.items.map(\.location.path) == ["0", "2", "1"])
    #expect(try source.items.allSatisfy { try !OMEImage.open($0.location).levels.isEmpty })
  }

  @Test(arguments: [2, 3]) func `without a list they count from 0`(format: Int) throws {
    let many = (0..<12).map(String.init)
    #expect(try open(group(format, images: many)).items.map(\.location.path) == many)
  }

  @Test func `a gap in the numbers is a fault, since images may be missing`() throws {
    for images in [["0", "2"], ["1"], []] {
      let fault = try #require(throws: Fault.self) { try open(group(images: images)) }
      #expect(fault.kind == .metadata && fault.message.contains("expected 0, 1, 2"))
    }
  }

  @Test func `the XML has as many images`() throws {
    let two = "<OME><Image ID='Image:0'/><!-- <Image/> --><Image ID='Image:1'/></OME>"
    #expect(try open(group(images: ["0", "1"], xml: two)).items.count == 2)
    let fault = try #require(throws: Fault.self) { try open(group(xml: two)) }
    #expect(fault.kind == .metadata && fault.subject == "memory/OME/METADATA.ome.xml")
    #expect(fault.message.contains("2 images, there are 3 series"))
  }

  @Test func `a path that leads elsewhere is an item with a fault`() throws {
    let items = try open(group(series: #"["0", "../x"]"#)).items
    #expect(items.count == 2 && items[0].fault == nil && items[1].fault?.kind == .path)
  }

  @Test func `another layout is unsupported`() throws {
    let fault = try #require(throws: Fault.self) { try open(group(layout: "2")) }
    #expect(fault.kind == .unsupported && fault.message.contains("is 2"))
  }

  @Test func `a plate of bioformats2raw is a plate`() throws {
    var documents = Examples.plate05()
    documents["zarr.json"] = documents["zarr.json"]?.replacing(
      #""plate":"#, with: #""bioformats2raw.layout": 3, "plate":"#)
    #expect(try open(documents).kind == .plate)
  }
}
