import OMJSON
import OMStore

/// What OME-XML says of the images in TIFF files.
struct OMEXML: Sendable {
  /// An element `Image` with its `Pixels`.
  struct Image: Sendable {
    var name: String?
    var order = ""
    var type = ""
    var sizes: (x: Int, y: Int, z: Int, c: Int, t: Int) = (0, 0, 0, 0, 0)
    var scales: [Character: Double] = [:]
    var units: [Character: String] = [:]
    var channels: [Channel] = []
    var data: [Data] = []
  }

  /// An element `Channel`.
  struct Channel: Sendable {
    var told: TiffChannel
    var samples: Int
  }

  /// An element `TiffData`: which pages of which file hold which planes.
  struct Data: Sendable {
    var page: Int?
    var first: (t: Int, c: Int, z: Int)
    var count: Int?
    /// The name of the file; nil for the file that holds the XML.
    var file: String?
    /// The identity of the file.
    var identity: String?
  }

  /// The images in their order.
  private(set) var images: [Image] = []
  /// The identity of the file that holds the XML.
  private(set) var identity: String?
  /// The file that holds the metadata instead of this one.
  private(set) var elsewhere: String?

  /// Bytes of a document that are read.
  static let largest = 128 << 20
  private static let deepest = 64

  /// Whether a description is OME-XML.
  static func isOne(_ description: [UInt8]) -> Bool {
    let start = description.prefix(8192)
    let first = start.first { $0 > 0x20 }
    guard first == UInt8(ascii: "<") || start.starts(with: [0xEF, 0xBB]) else { return false }
    let text = String(decoding: start, as: UTF8.self)
    return text.firstMatch(of: /<([A-Za-z_][A-Za-z0-9_.\-]*:)?OME[\s>]/) != nil
  }

  /// Reads a document.
  ///
  /// - Throws: `metadata` or `limit`; the subject is empty.
  init(_ bytes: [UInt8]) throws(Fault) {
    if bytes.count > Self.largest {
      throw Fault(
        .limit, "", "its OME-XML has \(bytes.count) bytes, the limit is \(Self.largest)")
    }
    let text = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
    var scanner = try XMLScanner(
      text, subject: "", noun: "its OME-XML", deepest: Self.deepest, takesComments: true)
    var path: [String] = []
    while let item = try scanner.next() {
      switch item {
      case .start(let name):
        path.append(Self.local(name))
        try start(path, scanner)
      case .end: path.removeLast()
      case .text(let text):
        guard path.suffix(3) == ["Pixels", "TiffData", "UUID"], let image = images.indices.last,
          let data = images[image].data.indices.last
        else { continue }
        images[image].data[data].identity = text
      }
    }
  }

  /// A name without its prefix.
  private static func local(_ name: String) -> String {
    name.split(separator: ":").last.map(String.init) ?? name
  }

  private mutating func start(_ path: [String], _ scanner: XMLScanner) throws(Fault) {
    // What is told of instruments and plates is not looked at, nor thousands of `Plane`.
    switch path.dropFirst() {
    case []: identity = try scanner.attributes()["UUID"]
    case ["BinaryOnly"]: elsewhere = try scanner.attributes()["MetadataFile"]
    case ["Image"]: images.append(Image(name: try scanner.attributes()["Name"]))
    case ["Image", "Pixels"]: try startPixels(Attributes(scanner, "Pixels"))
    case ["Image", "Pixels", "Channel"]: try startChannel(Attributes(scanner, "Channel"))
    case ["Image", "Pixels", "TiffData"]: try startData(Attributes(scanner, "TiffData"))
    case ["Image", "Pixels", "TiffData", "UUID"]:
      guard let image = images.indices.last, let data = images[image].data.indices.last else {
        return
      }
      images[image].data[data].file = try scanner.attributes()["FileName"]
    default: return
    }
  }

  private mutating func startPixels(_ attributes: Attributes) throws(Fault) {
    guard let image = images.indices.last else { return }
    images[image].order = attributes["DimensionOrder"] ?? ""
    images[image].type = attributes["Type"] ?? attributes["PixelType"] ?? ""
    images[image].sizes = (
      try attributes.size("SizeX"), try attributes.size("SizeY"), try attributes.size("SizeZ"),
      try attributes.size("SizeC"), try attributes.size("SizeT")
    )
    for axis in ["x", "y", "z"] as [Character] {
      let name = "PhysicalSize\(axis.uppercased())"
      guard let size = attributes.length(name) else { continue }
      images[image].scales[axis] = size
      images[image].units[axis] = LengthUnit.length(attributes[name + "Unit"] ?? "µm")
    }
    if let step = attributes.length("TimeIncrement") {
      images[image].scales["t"] = step
      images[image].units["t"] = LengthUnit.time(attributes["TimeIncrementUnit"] ?? "s")
    }
  }

  private mutating func startChannel(_ attributes: Attributes) throws(Fault) {
    guard let image = images.indices.last else { return }
    // Red, green, blue and alpha, a byte each, as one number with a sign.
    let colour = attributes["Color"].flatMap { Int32($0) }.map { number in
      let digits = String(UInt32(bitPattern: number) >> 8, radix: 16, uppercase: true)
      return String(repeating: "0", count: 6 - digits.count) + digits
    }
    let name = attributes["Name"].flatMap { $0.isEmpty ? nil : $0 }
    images[image].channels.append(
      Channel(
        told: TiffChannel(name: name, colour: colour),
        samples: attributes["SamplesPerPixel"] == nil ? 1 : try attributes.size("SamplesPerPixel")))
  }

  private mutating func startData(_ attributes: Attributes) throws(Fault) {
    guard let image = images.indices.last else { return }
    images[image].data.append(
      Data(
        page: try attributes.number("IFD"),
        first: (
          try attributes.number("FirstT") ?? 0, try attributes.number("FirstC") ?? 0,
          try attributes.number("FirstZ") ?? 0
        ), count: try attributes.number("PlaneCount")))
  }
}

/// The attributes of an element.
private struct Attributes {
  private let element: String
  private let values: [String: String]

  init(_ scanner: XMLScanner, _ element: String) throws(Fault) {
    self.element = element
    values = try scanner.attributes()
  }

  subscript(name: String) -> String? { values[name] }

  /// A number from 0; nil when it is not there.
  func number(_ name: String) throws(Fault) -> Int? {
    guard let text = values[name] else { return nil }
    guard let number = Int(text), number >= 0 else {
      throw Fault(
        .metadata, "",
        "`\(name)` of `\(element)` in its OME-XML is `\(escaped(text))`, expected a "
          + "number from 0")
    }
    return number
  }

  /// A number from 1.
  func size(_ name: String) throws(Fault) -> Int {
    guard let number = try number(name), number > 0 else {
      let found = values[name].map { "`\(escaped($0))`" } ?? "missing"
      throw Fault(
        .metadata, "",
        "`\(name)` of `\(element)` in its OME-XML is \(found), expected a number from 1")
    }
    return number
  }

  /// A size of a voxel; nil when it is not there or makes no sense.
  func length(_ name: String) -> Double? {
    values[name].flatMap { Double($0) }.flatMap { $0.isFinite && $0 > 0 ? $0 : nil }
  }
}
