import CTIFF
package import OMGrid
import OMJSON

/// One page of a TIFF: its size, the type of its numbers, and how they are stored.
package struct TiffPage: Sendable {
  /// Columns.
  package let width: Int
  /// Rows.
  package let height: Int
  /// Numbers of each pixel: 1, or 3 and 4 for colours.
  package let samples: Int
  /// The type of the numbers; those of one bit become 0 and 1.
  package let dataType: DataType
  /// Whether the numbers of a pixel stand side by side, and not in a plane for each.
  package let isInterleaved: Bool
  /// Whether the numbers are red, green and blue.
  package let isColour: Bool
  /// What people should know about the numbers.
  package let note: String?
  /// Where its directory lies.
  let directory: UInt64
  /// Where its numbers lie when it has no directory of its own: one plane behind the other.
  var plainStart: Int?
  /// Rows and columns of what is encoded on its own: a tile, or a strip.
  let part: (height: Int, width: Int)
  let isTiled: Bool
  /// Whether the numbers are not encoded, so that any row can be read by itself.
  let isPlain: Bool
  let isPacked: Bool
  let isSwapped: Bool

  /// Takes what the tags of a page say.
  ///
  /// - Parameters:
  ///   - page: The tags.
  ///   - number: The number of the page, for faults.
  /// - Throws: `unsupported`, `metadata` or `limit` for what cannot be read.
  init(_ page: om_tiff_page, number: Int) throws(Fault) {
    func refusal(_ what: String, _ hint: String? = nil) -> Fault {
      Fault(.unsupported, "", "page \(number) \(what)", hint: hint ?? TiffPage.usualHint)
    }
    width = Int(page.width)
    height = Int(page.height)
    samples = Int(page.samples)
    directory = page.directory
    isInterleaved = page.planar != 2
    isSwapped = page.is_swapped != 0
    isTiled = page.tile_width > 0
    if width < 1 || height < 1 || samples < 1 {
      throw Fault(.metadata, "", "page \(number) is \(width) × \(height) with \(samples) samples")
    }
    if page.depth > 1 { throw refusal("is a volume in one page, which no other reader knows") }
    if page.is_decodable == 0 {
      throw refusal("has compression \(page.compression), which this libtiff cannot decode")
    }
    let isJPEG = page.compression == 7
    switch page.photometric {
    case 0: note = "0 means white in it; numbers are copied as they are"
    case 1, 4, 32803, 34892: note = nil
    case 2: note = nil
    case 3: note = "its colour table is left out, voxels are the numbers of the colours"
    case 6 where isJPEG && page.planar != 2 && samples == 3: note = nil
    default:
      throw refusal(
        "has the colours \(TiffPage.colours(page.photometric))",
        "save it as RGB or in grey, in Fiji: Image > Type")
    }
    isColour = (page.photometric == 2 || page.photometric == 6) && samples >= 3
    guard let type = TiffPage.dataType(bits: page.bits, format: page.format, samples: samples)
    else {
      throw refusal(
        "has numbers of \(page.bits) bits (\(TiffPage.formatName(page.format)))",
        "save it with 8, 16 or 32 bits, in Fiji: Image > Type")
    }
    dataType = type
    isPacked = page.bits == 1
    part =
      isTiled
      ? (Int(page.tile_height), Int(page.tile_width)) : (Int(page.rows_per_strip), width)
    isPlain = !isTiled && page.compression == 1 && !isPacked && page.fill_order == 1
    if planeBytes == nil {
      throw Fault(.limit, "", "page \(number) is \(width) × \(height), too large for any memory")
    }
  }

  /// The bytes of all its numbers; nil when they cannot be counted.
  var planeBytes: Int? {
    product(of: [width, height, samples, dataType.byteCount])
  }

  /// Whether another page has the same numbers in the same order.
  func fits(_ other: TiffPage) -> Bool {
    width == other.width && height == other.height && samples == other.samples
      && dataType == other.dataType && isInterleaved == other.isInterleaved
  }

  /// How messages call its form.
  var form: String {
    "\(width) × \(height) \(dataType.rawValue)" + (samples > 1 ? " with \(samples) samples" : "")
  }

  private static let usualHint = "save it anew in Fiji, or convert it with bioformats2raw"

  private static func dataType(bits: UInt16, format: UInt16, samples: Int) -> DataType? {
    switch (bits, format) {
    case (1, 1), (1, 4): samples == 1 ? .uint8 : nil
    case (8, 1), (8, 4): .uint8
    case (16, 1), (16, 4): .uint16
    case (32, 1), (32, 4): .uint32
    case (64, 1), (64, 4): .uint64
    case (8, 2): .int8
    case (16, 2): .int16
    case (32, 2): .int32
    case (64, 2): .int64
    case (16, 3): .float16
    case (32, 3): .float32
    case (64, 3): .float64
    default: nil
    }
  }

  private static func formatName(_ format: UInt16) -> String {
    switch format {
    case 1, 4: "whole"
    case 2: "whole, with a sign"
    case 3: "floating point"
    case 5, 6: "complex"
    default: "format \(format)"
    }
  }

  private static func colours(_ photometric: UInt16) -> String {
    switch photometric {
    case 5: "CMYK"
    case 6: "YCbCr without JPEG"
    case 8, 9, 10: "CIE L*a*b*"
    case 32844, 32845: "LogLuv"
    default: "of photometric interpretation \(photometric)"
    }
  }
}
