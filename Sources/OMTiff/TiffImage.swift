import OMGrid
import OMJSON

/// A plane of an image: a page of a file.
struct TiffPlace: Sendable, Equatable {
  /// The number of the file; -1 when there is none.
  var file: Int32
  /// The number of the page in it.
  var page: Int32

  static let missing = TiffPlace(file: -1, page: 0)
}

/// What is told of a channel.
package struct TiffChannel: Sendable, Equatable {
  /// Its name.
  package var name: String?
  /// Its colour as six hexadecimal digits.
  package var colour: String?

  /// Whether nothing is told.
  package var isEmpty: Bool { name == nil && colour == nil }

  /// Makes a channel of which nothing is told.
  package init() {}

  init(name: String?, colour: String?) {
    self.name = name
    self.colour = colour
  }
}

/// An image in TIFF files: time, channel and depth, each plane a page.
package struct TiffImage: Sendable {
  /// The name that it gives itself.
  package var name: String?
  /// How many times, channels as the file counts them, and layers there are.
  var counts: (t: Int, c: Int, z: Int)
  /// A page as all of them are.
  package let page: TiffPage
  /// The page of each plane: t, then c, then z.
  var planes: [TiffPlace]
  /// The size of a voxel along z, y, x and t, where it is told.
  package var scales: [Character: Double] = [:]
  /// The units of these.
  package var units: [Character: String] = [:]
  /// The channels, as many as there are, or none.
  package var channels: [TiffChannel] = []

  /// The most planes of an image.
  static let mostPlanes = 10_000_000

  /// How many channels the image has: colours count as channels.
  package var channelCount: Int { counts.c * page.samples }

  /// The axes with more than one place, and y and x; channels, too, where they have names.
  package var axes: [Character] {
    let hasChannels = channelCount > 1 || channels.contains { $0.name != nil }
    return (counts.t > 1 ? ["t"] : []) + (hasChannels ? ["c"] : []) + (counts.z > 1 ? ["z"] : [])
      + ["y", "x"]
  }

  /// The size along an axis.
  package func size(_ axis: Character) -> Int {
    switch axis {
    case "t": counts.t
    case "c": channelCount
    case "z": counts.z
    case "y": page.height
    default: page.width
    }
  }

  /// The box that is read at once, along an axis: whole tiles or strips, all colours that lie side by side.
  package func chunk(_ axis: Character) -> Int {
    switch axis {
    case "t", "z": 1
    case "c": page.isInterleaved ? page.samples : 1
    case "y": chunkHeight
    default: page.isTiled ? page.part.width : page.width
    }
  }

  /// About as many bytes are read at once where that is possible.
  private static let chunkBytes = 1 << 20

  private var chunkHeight: Int {
    if page.isTiled { return page.part.height }
    let row = page.width * page.dataType.byteCount * (page.isInterleaved ? page.samples : 1)
    let rows = max(1, Self.chunkBytes / max(1, row))
    if page.isPlain { return min(rows, page.height) }
    return min(page.height, max(1, rows / page.part.height) * page.part.height)
  }

  /// The place of a plane.
  func place(t: Int, c: Int, z: Int) -> TiffPlace { planes[(t * counts.c + c) * counts.z + z] }
}

extension TiffImage {
  /// Brings the sizes of voxels to the unit that x has: other programs take one unit for all.
  mutating func uniteUnits() {
    guard let unit = units["x"] else { return }
    for axis in ["y", "z"] as [Character] {
      guard let size = scales[axis], let own = units[axis],
        let other = LengthUnit.length(size, in: own, as: unit)
      else { continue }
      scales[axis] = other
      units[axis] = unit
    }
  }

  /// Refuses more planes than can be listed.
  static func planeCount(_ t: Int, _ c: Int, _ z: Int) throws(Fault) -> Int {
    for size in [t, c, z] where size < 1 {
      throw Fault(.metadata, "", "the image has \(size) planes along an axis")
    }
    guard let count = product(of: [t, c, z], atMost: mostPlanes) else {
      throw Fault(
        .limit, "", "the image has \(t) × \(c) × \(z) planes, the limit is \(mostPlanes)")
    }
    return count
  }
}
