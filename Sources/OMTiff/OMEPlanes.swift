import OMGrid
import OMJSON
import OMStore

/// Finds the pages that hold the planes of an image of OME-XML.
struct OMEPlanes {
  /// The files by name; the file that holds the XML has the number 0.
  let files: TiffFiles
  /// The identity of that file.
  let identity: String?

  private static let mostChannels = 1_000_000

  /// The image.
  ///
  /// - Throws: `metadata` where the XML and the pages do not fit; `limit`.
  func image(_ xml: OMEXML.Image) throws(Fault) -> TiffImage {
    let samples = xml.channels.map(\.samples).max() ?? 1
    guard xml.channels.allSatisfy({ $0.samples == samples }) else {
      throw Fault(
        .unsupported, "",
        "its channels have different numbers of samples: "
          + xml.channels.map { "\($0.samples)" }.joined(separator: ", "),
        hint: "convert it with bioformats2raw")
    }
    guard xml.sizes.c.isMultiple(of: samples) else {
      throw Fault(
        .metadata, "", "`SizeC` is \(xml.sizes.c), channels have \(samples) samples each")
    }
    let counts = (t: xml.sizes.t, c: xml.sizes.c / samples, z: xml.sizes.z)
    let total = try TiffImage.planeCount(counts.t, counts.c, counts.z)
    guard xml.sizes.c <= Self.mostChannels else {
      throw Fault(
        .limit, "", "the image has \(xml.sizes.c) channels, the limit is \(Self.mostChannels)")
    }
    guard let order = PlaneOrder(xml.order, counts) else {
      throw Fault(
        .metadata, "",
        "`DimensionOrder` in its OME-XML is `\(escaped(xml.order))`, expected one "
          + "such as XYZCT")
    }
    var planes = [TiffPlace](repeating: .missing, count: total)
    let data =
      xml.data.isEmpty
      ? [OMEXML.Data(page: nil, first: (0, 0, 0), count: nil, file: nil, identity: nil)] : xml.data
    var added = 0
    for block in data {
      added += try add(block, order, counts, to: &planes)
      // Blocks that repeat each other would take hours.
      guard added <= 2 * total else {
        throw Fault(
          .metadata, "",
          "the `TiffData` of its OME-XML have \(added) planes and more, the image has \(total)")
      }
    }
    guard let first = planes.first(where: { $0 != .missing }) else {
      throw Fault(.metadata, "", "none of the files that its OME-XML names is there")
    }
    let page = try files.page(first)
    try check(page, xml, samples)
    var image = TiffImage(
      name: xml.name.flatMap { $0.isEmpty ? nil : $0 }, counts: counts, page: page, planes: planes)
    image.scales = xml.scales
    image.units = xml.units
    image.uniteUnits()
    if page.isColour && xml.channels.allSatisfy({ $0.told.name == nil }) {
      image.nameColours()
    } else if xml.channels.count == counts.c {
      image.channels = xml.channels.flatMap { channel in
        (0..<samples).map { _ in channel.told }
      }
    }
    return image
  }

  private func check(_ page: TiffPage, _ xml: OMEXML.Image, _ samples: Int) throws(Fault) {
    guard page.width == xml.sizes.x, page.height == xml.sizes.y else {
      throw Fault(
        .metadata, "",
        "its OME-XML says \(xml.sizes.x) × \(xml.sizes.y), its pages are \(page.form)")
    }
    guard page.samples == samples else {
      throw Fault(
        .metadata, "",
        "its OME-XML says \(samples) samples for each channel, its pages are \(page.form)")
    }
    let types: [String: DataType] = [
      "int8": .int8, "int16": .int16, "int32": .int32, "uint8": .uint8, "uint16": .uint16,
      "uint32": .uint32, "float": .float32, "double": .float64, "bit": .uint8,
    ]
    // Types that OME has no name for are those of the pages.
    guard let told = types[xml.type], told != page.dataType else { return }
    throw Fault(
      .metadata, "", "its OME-XML says type `\(xml.type)`, its pages are \(page.form)")
  }

  /// Adds the planes of a block, which follow each other in the order of the image.
  ///
  /// - Returns: How many these are.
  private func add(
    _ block: OMEXML.Data, _ order: PlaneOrder, _ counts: (t: Int, c: Int, z: Int),
    to planes: inout [TiffPlace]
  ) throws(Fault) -> Int {
    let (t, c, z) = block.first
    guard t < counts.t, c < counts.c, z < counts.z else {
      throw Fault(
        .metadata, "",
        "a `TiffData` of its OME-XML begins at t \(t), c \(c), z \(z), the image has "
          + "\(counts.t), \(counts.c), \(counts.z)")
    }
    let start = order.number(t: t, c: c, z: z)
    let file = try number(of: block)
    var count = block.count ?? (block.page == nil ? nil : 1)
    if count == nil, file >= 0 {
      count = min(try files.content(file).places.count, order.count - start)
    }
    guard let count else { return 0 }
    guard count <= order.count - start else {
      throw Fault(
        .metadata, "",
        "a `TiffData` of its OME-XML has \(count) planes from plane \(start) on, the image has "
          + "\(order.count)")
    }
    if file < 0 { return count }
    for step in 0..<count {
      let plane = order.plane(start + step)
      let place = (plane.t * counts.c + plane.c) * counts.z + plane.z
      planes[place] = TiffPlace(
        file: Int32(clamping: file), page: Int32(clamping: (block.page ?? 0) + step))
    }
    return count
  }

  /// The number of the file that a block is about; -1 when it is not there.
  private func number(of block: OMEXML.Data) throws(Fault) -> Int {
    guard let name = block.file else { return 0 }
    if let known = try files.number(of: name) { return known }
    // A file that was renamed still says who it was.
    let isOwn = block.identity != nil && block.identity == identity
    return isOwn ? 0 : -1
  }
}
