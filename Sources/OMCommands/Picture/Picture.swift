import CPNG
import OMJSON

/// A colour with parts from 0 to 1.
struct Colour: Equatable {
  var red: Double
  var green: Double
  var blue: Double

  static let white = Colour(red: 1, green: 1, blue: 1)
}

/// A picture in 8-bit RGB.
struct Picture {
  /// Pixels in a row.
  let width: Int
  /// Rows.
  let height: Int
  /// Red, green and blue of each pixel, row by row.
  private(set) var bytes: [UInt8]

  /// A black picture.
  init(width: Int, height: Int) {
    self.width = width
    self.height = height
    bytes = [UInt8](repeating: 0, count: width * height * 3)
  }

  /// Adds light of one colour; what is too bright stays at the brightest.
  ///
  /// - Parameters:
  ///   - brightness: One number from 0 to 1 per pixel.
  ///   - colour: The colour of brightness 1.
  mutating func add(_ brightness: [Double], _ colour: Colour) {
    let parts = [colour.red, colour.green, colour.blue]
    for (pixel, light) in brightness.enumerated() {
      for part in 0..<3 {
        let sum = Double(bytes[pixel * 3 + part]) + light * parts[part] * 255
        bytes[pixel * 3 + part] = UInt8(min(255, sum.rounded()))
      }
    }
  }

  /// Paints one pixel.
  mutating func paint(_ pixel: Int, _ colour: Colour) {
    for (part, value) in [colour.red, colour.green, colour.blue].enumerated() {
      bytes[pixel * 3 + part] = UInt8((value * 255).rounded())
    }
  }

  /// This picture with another of the same height to its right.
  func beside(_ other: Picture, gap: Int) -> Picture {
    var both = Picture(width: width + gap + other.width, height: height)
    let white = [UInt8](repeating: 255, count: gap * 3)
    var rows: [UInt8] = []
    for row in 0..<height {
      rows += bytes[row * width * 3..<(row + 1) * width * 3]
      rows += white
      rows += other.bytes[row * other.width * 3..<(row + 1) * other.width * 3]
    }
    both.bytes = rows
    return both
  }

  /// The picture as a PNG file.
  ///
  /// - Throws: A fault of kind `internal` with libpng's message.
  func png() throws(Fault) -> [UInt8] {
    var image = png_image()
    image.version = png_uint_32(PNG_IMAGE_VERSION)
    image.width = png_uint_32(width)
    image.height = png_uint_32(height)
    image.format = png_uint_32(PNG_FORMAT_FLAG_COLOR)
    defer { png_image_free(&image) }
    // The first call only counts.
    var count: png_alloc_size_t = 0
    if png_image_write_to_memory(&image, nil, &count, 0, bytes, 0, nil) == 0 {
      throw Self.fault(&image)
    }
    var file = [UInt8](repeating: 0, count: count)
    if png_image_write_to_memory(&image, &file, &count, 0, bytes, 0, nil) == 0 {
      throw Self.fault(&image)
    }
    return Array(file[..<count])
  }

  private static func fault(_ image: inout png_image) -> Fault {
    let message = withUnsafeBytes(of: &image.message) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    return Fault(.internal, "", "libpng could not write the picture: \(message)")
  }
}
