public import OMGrid

/// What is added up for each object, beside its number of voxels and its box.
public struct SumsNeed: Sendable, Equatable {
  /// Products of coordinates, for axis lengths and orientation.
  public var products: Bool
  /// Squares of the voxels of each channel, for the standard deviation.
  public var squares: Bool
  /// Third and fourth powers of the voxels, for skewness and kurtosis; integers of at most 16 bits.
  public var powers: Bool
  /// Voxels times coordinates, for the weighted centroid.
  public var weighted: Bool
  /// How often each value occurs, for medians; integers of at most 16 bits.
  public var counts: Bool
  /// How objects lie around the corners between voxels, for Euler numbers.
  public var euler: Bool
  /// How borders of flat objects run, for perimeters.
  public var contours: Bool

  /// Names what is needed; all of it is off unless it is asked for.
  public init(
    products: Bool = false, squares: Bool = false, powers: Bool = false, weighted: Bool = false,
    counts: Bool = false, euler: Bool = false, contours: Bool = false
  ) {
    self.products = products
    self.squares = squares
    self.powers = powers
    self.weighted = weighted
    self.counts = counts
    self.euler = euler
    self.contours = contours
  }

  /// How many labels are needed before and behind a voxel, along each axis in which objects extend.
  package var halo: (before: Int, behind: Int) { contours ? (2, 2) : euler ? (1, 0) : (0, 0) }

  /// Whether powers and counts can be had of voxels of a type: 8- and 16-bit integers.
  public static func isNarrow(_ type: DataType) -> Bool {
    switch type {
    case .bool, .uint8, .int8, .uint16, .int16: true
    default: false
    }
  }
}

/// Where the sums of one object lie: words of 64 bits, one object after the other.
///
/// First the number of voxels, the box (least and largest t, z, y, x), the voxels at the border of the
/// image, sums of coordinates, and counts of surroundings; then for each channel the least and largest voxel and its sums.
package struct SumsLayout: Sendable, Equatable {
  /// Some words that hold one sum.
  package struct Sum: Sendable, Equatable {
    let place: Int
    let count: Int
  }

  /// What is added up.
  package let need: SumsNeed
  /// The type of the voxels.
  package let dataType: DataType
  /// How many channels there are.
  package let channels: Int

  /// The number of voxels.
  static let count = 0
  /// The least t, z, y and x.
  static let least = 1
  /// The largest t, z, y and x.
  static let largest = 5
  /// The voxels at the border.
  static let border = 9
  /// The sums of z, y and x, of two words each.
  static let coordinates = 10
  /// The sums of zz, zy, zx, yy, yx and xx, of two words each.
  static let products = 16

  /// Where sums of two words each end, and numbers of one word begin.
  let single: Int
  /// Eight times the Euler number.
  let euler: Int
  /// How many border voxels have each of `Perimeter.codes`.
  let borderCodes: Int
  /// How many corners have each pattern of four voxels, but the first and the last.
  let patterns: Int
  /// Where the channels begin.
  let channelStart: Int
  /// The words of one channel.
  let channelStride: Int
  /// The words of one object.
  package let stride: Int

  /// The sums of a channel, behind its least and largest voxel; places within the channel.
  let value: Sum
  let square: Sum
  let cube: Sum
  let fourth: Sum
  let weighted: Sum

  /// The layout for some channels of voxels of a type.
  package init(_ need: SumsNeed, dataType: DataType, channels: Int) {
    self.need = need
    self.dataType = dataType
    self.channels = channels
    let widths = Self.widths(dataType)
    var place = 2
    func next(_ count: Int, _ isNeeded: Bool, times: Int = 1) -> Sum {
      defer { if isNeeded { place += count * times } }
      return Sum(place: place, count: count)
    }
    value = next(widths.value, true)
    square = next(widths.square, need.squares)
    cube = next(2, need.powers)
    fourth = next(2, need.powers)
    weighted = next(widths.weighted, need.weighted, times: 3)
    channelStride = place
    single = need.products ? Self.products + 12 : Self.products
    euler = single
    borderCodes = euler + (need.euler ? 1 : 0)
    patterns = borderCodes + (need.contours ? Perimeter.codes.count : 0)
    channelStart = patterns + (need.contours ? 14 : 0)
    stride = channelStart + channels * channelStride
  }

  /// Words that no sum of 2^60 voxels overflows, along axes of 2^31 voxels.
  private static func widths(_ type: DataType) -> (value: Int, square: Int, weighted: Int) {
    switch type {
    case .bool, .int8, .uint8, .int16, .uint16, .int32, .uint32: (2, 2, 2)
    case .int64, .uint64: (2, 3, 3)
    case .float16, .float32: (6, 10, 6)
    case .float64: (34, 67, 35)
    }
  }

  /// The power of two that sums of voxels of this type are multiples of.
  var exponent: Int {
    switch dataType {
    case .float16, .float32: -149
    case .float64: -1074
    default: 0
    }
  }

  /// The words of an object that has no voxels yet.
  var empty: [UInt64] {
    var words = [UInt64](repeating: 0, count: stride)
    for axis in 0..<4 { words[Self.least + axis] = .max }
    for channel in 0..<channels { words[channelStart + channel * channelStride] = .max }
    return words
  }
}
