package import OMGrid
package import OMJSON

/// The OME-XML of an image that is written as one OME-TIFF.
package struct OMEXMLText: Sendable {
  /// Its name.
  package var name: String
  /// The sizes along x, y, z, c and t.
  package var sizes: [Character: Int]
  /// The size of a voxel along x, y, z and t, where there is one.
  package var scales: [Character: Double]
  /// The units of these, as OME-Zarr calls them.
  package var units: [Character: String]
  /// The channels, as many as there are.
  package var channels: [TiffChannel]
  private let type: String

  /// Pages lie in this order: z counts up first, then c, then t.
  package static let order = "XYZCT"

  /// Begins with a name and a type.
  ///
  /// - Throws: `unsupported` for a type that OME-XML has no name for.
  package init(name: String, dataType: DataType) throws(Fault) {
    let types: [DataType: String] = [
      .int8: "int8", .int16: "int16", .int32: "int32", .uint8: "uint8", .uint16: "uint16",
      .uint32: "uint32", .float32: "float", .float64: "double",
    ]
    guard let type = types[dataType] else {
      let others: [DataType: DataType] = [.bool: .uint8, .float16: .float32, .int64: .int32]
      let other = others[dataType] ?? .uint32
      throw Fault(
        .unsupported, "", "its voxels are \(dataType.rawValue), which OME-TIFF does not know",
        hint: "`omtask run convert … --dtype \(other.rawValue)` makes a copy that can be exported")
    }
    self.type = type
    self.name = name
    sizes = [:]
    scales = [:]
    units = [:]
    channels = []
  }

  /// The document, in ASCII.
  package var bytes: [UInt8] {
    let schema = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
    var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
    text += "<OME xmlns=\"\(schema)\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""
    text += " xsi:schemaLocation=\"\(schema) \(schema)/ome.xsd\" Creator=\"omtask\">"
    text += "<Image ID=\"Image:0\" Name=\"\(Self.escaped(name))\">"
    text += "<Pixels ID=\"Pixels:0\" DimensionOrder=\"\(Self.order)\" Type=\"\(type)\""
    text += " BigEndian=\"false\""
    for axis in ["x", "y", "z", "c", "t"] as [Character] {
      text += " Size\(axis.uppercased())=\"\(sizes[axis] ?? 1)\""
    }
    for axis in ["x", "y", "z"] as [Character] {
      guard let size = scales[axis], let unit = Self.lengthUnit(units[axis]) else { continue }
      if units[axis] == nil && size == 1 { continue }
      let name = "PhysicalSize\(axis.uppercased())"
      text += " \(name)=\"\(size)\" \(name)Unit=\"\(Self.escaped(unit))\""
    }
    if let step = scales["t"], let unit = units["t"].flatMap(Self.timeUnit) {
      text += " TimeIncrement=\"\(step)\" TimeIncrementUnit=\"\(Self.escaped(unit))\""
    }
    text += ">"
    for (number, channel) in channels.enumerated() {
      text += "<Channel ID=\"Channel:0:\(number)\" SamplesPerPixel=\"1\""
      if let name = channel.name { text += " Name=\"\(Self.escaped(name))\"" }
      if let colour = channel.colour.flatMap({ UInt32($0, radix: 16) }), colour <= 0xFFFFFF {
        text += " Color=\"\(Int32(bitPattern: colour << 8 | 0xFF))\""
      }
      text += "/>"
    }
    let pages = ["z", "c", "t"].reduce(1) { $0 * (sizes[Character($1)] ?? 1) }
    text += "<TiffData IFD=\"0\" PlaneCount=\"\(pages)\"/></Pixels></Image></OME>"
    return Array(text.utf8)
  }

  /// The unit as OME-XML writes it; sizes without a unit are in pixels.
  private static func lengthUnit(_ name: String?) -> String? {
    guard let name else { return "pixel" }
    let units = [
      "micrometer": "µm", "nanometer": "nm", "millimeter": "mm", "centimeter": "cm", "meter": "m",
      "picometer": "pm", "angstrom": "Å", "inch": "in", "foot": "ft", "kilometer": "km",
      "yard": "yd", "mile": "mi", "decimeter": "dm", "femtometer": "fm",
    ]
    return units[name]
  }

  private static func timeUnit(_ name: String) -> String? {
    let units = [
      "second": "s", "millisecond": "ms", "microsecond": "µs", "nanosecond": "ns", "minute": "min",
      "hour": "h", "day": "d",
    ]
    return units[name]
  }

  /// Text within quotes: what XML does not take becomes a space.
  private static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default:
        if scalar.value < 0x20 || scalar.value == 0x7F || scalar.value == 0xFFFE
          || scalar.value == 0xFFFF
        {
          result += " "
        } else if scalar.value > 0x7F {
          result += "&#\(scalar.value);"
        } else {
          result.unicodeScalars.append(scalar)
        }
      }
    }
    return result
  }
}
