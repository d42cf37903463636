import OMCodecs
import OMGrid
import OMJSON
import OMTiff
import OMZarr

/// The metadata of OME-Zarr 0.5 that say of an image what its TIFF files do.
struct TiffDocuments {
  private let image: TiffImage
  private let name: String

  /// Describes an image.
  init(_ image: TiffImage, name: String) {
    self.image = image
    self.name = name
  }

  /// The array of the only level.
  ///
  /// - Throws: `limit` when what must be decoded at once is too large.
  func layout() throws(Fault) -> ArrayLayout {
    let chunk = image.axes.map(image.chunk)
    let type = image.page.dataType
    if product(of: chunk + [type.byteCount], atMost: Limits.current.chunk) == nil {
      throw Fault(
        .limit, "",
        "its tiles or strips are \(chunk), more than \(Limits.current.chunk) bytes each",
        hint: Limits.hint(.chunk))
    }
    return try ArrayLayout(
      zarrFormat: 3, shape: image.axes.map(image.size), dataType: type, chunkShape: chunk,
      compression: .none, dimensionNames: image.axes.map { String($0) })
  }

  /// The documents of its group.
  var group: [MetadataDocument] {
    NewImageDocuments(
      name: name, version: .v0_5,
      axes: image.axes.map { (String($0), image.units[$0]) },
      scales: [image.axes.map { image.scales[$0] ?? 1 }], omero: omero
    ).group(source: "")
  }

  /// The channels, where anything is told of them.
  private var omero: JSON? {
    guard image.channels.count == image.channelCount,
      !image.channels.allSatisfy(\.isEmpty)
    else { return nil }
    let colours = ["FFFFFF", "00FF00", "FF00FF", "00FFFF", "FFFF00", "FF0000", "0000FF"]
    let (lowest, highest) = range
    let isAlone = image.channels.count == 1
    let channels = image.channels.enumerated().map { number, channel -> JSON in
      let usual = isAlone ? "FFFFFF" : colours[1 + number % (colours.count - 1)]
      return [
        "label": .string(channel.name ?? "channel \(number)"),
        "color": .string(channel.colour ?? usual), "active": true,
        "window": ["min": lowest, "max": highest, "start": lowest, "end": highest],
      ]
    }
    return ["channels": .array(channels)]
  }

  /// The numbers that the type has; 0 to 1 for floating point.
  private var range: (JSON, JSON) {
    let type = image.page.dataType
    if type.isFloat { return (0, 1) }
    let bits = 8 * type.byteCount
    let highest = UInt64.max >> UInt64(64 - bits + (type.isSigned ? 1 : 0))
    return (
      type.isSigned ? .number("-\(highest + 1)") : 0, .number("\(highest)")
    )
  }

  /// The documents above several images.
  static func series(_ count: Int) -> [MetadataDocument] {
    let version = OMEVersion.v0_5
    let paths = (0..<count).map { JSON.string("\($0)") }
    return groupDocuments(
      "", zarrFormat: 3, attributes: version.attributes(["bioformats2raw.layout": 3]))
      + groupDocuments(
        "OME", zarrFormat: 3, attributes: version.attributes(["series": .array(paths)]))
  }
}
