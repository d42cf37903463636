package import OMGrid
package import OMImage
import OMJSON
import OMTaskTesting
import OMZarr

/// The voxels that are written and read in measurements: one volume with the axes z, y and x.
package struct BenchVolume: Sendable {
  /// Sizes along z, y and x.
  package let shape: [Int]
  /// The type of its voxels.
  package let dataType: DataType
  /// Where they come from, in words.
  package let origin: String
  /// The voxels in C order.
  package let bytes: [UInt8]

  /// Sides of the cubes of which each holds one object.
  private static let cell = 32

  /// Makes a volume such as microscopes give: bright bodies on a dark ground, with the noise of a camera.
  ///
  /// The same size always gives the same voxels.
  ///
  /// - Parameter byteCount: About how many bytes it has.
  package init(byteCount: Int) {
    let cubes = max(1, byteCount / (2 * 64 * 64 * 64))
    var counts = [1, 1, 1]
    // Twice as wide as deep, as most stacks are.
    while true {
      let axis = counts[1] < 2 * counts[0] ? 1 : counts[2] < counts[1] ? 2 : 0
      var grown = counts
      grown[axis] *= 2
      if grown.reduce(1, *) > cubes { break }
      counts = grown
    }
    self.init(generated: counts.map { $0 * 64 })
  }

  /// Makes such a volume with these sizes.
  package init(generated shape: [Int]) {
    self.shape = shape
    dataType = .uint16
    origin = "generated"
    let count = shape.reduce(1, *)
    bytes = [UInt8](unsafeUninitializedCapacity: 2 * count) { target, used in
      used = 2 * count
      let voxels = UnsafeMutableRawBufferPointer(target).bindMemory(to: UInt16.self)
      BenchVolume.fill(voxels, shape)
    }
  }

  /// Reads the middle of the first volume of an image.
  ///
  /// - Parameters:
  ///   - image: The image.
  ///   - byteCount: How many bytes at most.
  /// - Throws: What reading throws.
  package init(_ image: OMEImage, byteCount: Int) throws {
    let array = try image.array(0)
    let letters = image.axes.map(\.letter)
    let metadata = array.metadata
    dataType = metadata.dataType
    var box = SampleReader.middle(
      of: metadata.shape, letters, max(1, byteCount / dataType.byteCount))
    for (axis, letter) in letters.enumerated() where !["z", "y", "x"].contains(letter) {
      (box.origin[axis], box.shape[axis]) = (0, 1)
    }
    let space = box.shape.suffix(letters.contains("z") ? 3 : 2)
    shape = (space.count == 2 ? [1] : []) + space
    origin = image.location.displayName
    bytes = try SampleReader.read(array, box)
  }

  /// The whole volume.
  package var box: Region { Region(wholeOf: shape) }

  private static func fill(_ voxels: UnsafeMutableBufferPointer<UInt16>, _ shape: [Int]) {
    var index = 0
    for z in 0..<shape[0] {
      for y in 0..<shape[1] {
        var body = Body(z: z, y: y, cellX: -1)
        for x in 0..<shape[2] {
          if x / cell != body.cellX { body = Body(z: z, y: y, cellX: x / cell) }
          voxels[index] = body.value(x: x, index: UInt64(index))
          index += 1
        }
      }
    }
  }

  /// The object of one cube, as one row of voxels sees it.
  private struct Body {
    let cellX: Int
    private let centre: Double
    /// The share of the squared radius that z and y leave.
    private let left: Double
    private let radius: Double
    private let brightness: Double

    init(z: Int, y: Int, cellX: Int) {
      self.cellX = cellX
      let cell = BenchVolume.cell
      let seed =
        UInt64(z / cell) &* 0x9E37_79B9 &+ UInt64(y / cell) &* 0x85EB_CA6B
        &+ UInt64(max(0, cellX)) &* 0xC2B2_AE35
      let random = (0..<6).map { Double(mixed(seed &+ $0 &* 0x1234_5677) >> 11) * 0x1p-53 }
      let side = Double(cell)
      let size = side * (0.2 + 0.25 * random[0])
      let place = { (axis: Int) in size + (side - 2 * size) * random[axis] }
      let (dz, dy) = (Double(z % cell) - place(1), Double(y % cell) - place(2))
      radius = size
      centre = place(3) + Double(max(0, cellX) * cell)
      // Every fourth cube is empty.
      left = random[5] < 0.25 ? -1 : 1 - (dz * dz + dy * dy) / (size * size)
      brightness = 500 + 900 * random[4]
    }

    func value(x: Int, index: UInt64) -> UInt16 {
      let dx = (Double(x) - centre) / radius
      let inside = left - dx * dx
      let signal = 140 + (inside > 0 ? brightness * inside.squareRoot() : 0)
      // Four bytes of a good mixture add up to something close to a bell curve.
      let bits = mixed(index)
      let sum = (bits & 255) + (bits >> 8 & 255) + (bits >> 16 & 255) + (bits >> 24 & 255)
      let noise = (Double(sum) - 510) / 148 * (signal / 4).squareRoot()
      return UInt16(max(0, min(65535, signal + noise)))
    }
  }
}

/// A number that looks random, the same for the same number (splitmix64).
func mixed(_ number: UInt64) -> UInt64 {
  var value = number &+ 0x9E37_79B9_7F4A_7C15
  value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
  value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
  return value ^ (value >> 31)
}
