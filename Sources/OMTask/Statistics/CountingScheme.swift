import OMGrid
import OMJSON

/// What the entries of a table of counts mean.
enum CountingScheme: Sendable, Equatable {
  /// No table: the range and the sum only.
  case none
  /// Every voxel must equal the one value of the range; a constant floating-point image.
  case constant
  /// One entry per level, `width` of them from `first` up.
  ///
  /// The whole stands in the table `lanes` times: neighbouring voxels are counted in different
  /// copies, because equal ones would otherwise wait for each other's store.
  case levels(first: Int128, width: Int, lanes: Int)
  /// NumPy's uniform bins in single precision.
  case singleBins(UniformBins<Float>)
  /// NumPy's uniform bins in double precision.
  case doubleBins(UniformBins<Double>)
  /// 65,536 bins with sums.
  case fineBins(FineBins)

  /// The most levels of an integer image that are counted one by one.
  static let levelLimit = 1 << 24

  /// The scheme of pass 1: levels for types of up to 16 bits.
  static func ofFirstPass(_ dataType: DataType) -> CountingScheme {
    switch dataType {
    case .bool, .uint8: .levels(first: 0, width: 1 << 8, lanes: 4)
    case .int8: .levels(first: -128, width: 1 << 8, lanes: 4)
    case .uint16: .levels(first: 0, width: 1 << 16, lanes: 2)
    case .int16: .levels(first: -32768, width: 1 << 16, lanes: 2)
    default: .none
    }
  }

  /// The scheme of pass 2, once the range is known.
  static func ofSecondPass(
    _ need: StatisticsNeed, _ dataType: DataType, _ range: VoxelRange
  ) throws(Fault) -> CountingScheme {
    switch range {
    case .integers(let low, let high):
      let levels = high - low + 1
      guard levels <= levelLimit else { throw tooManyLevels(levels, low, high) }
      return .levels(first: low, width: Int(levels), lanes: 1)
    case .floats(let low, let high):
      if low == high { return .constant }
      if need == .fineHistogram { return .fineBins(try FineBins(from: low, through: high)) }
      if dataType == .float64 {
        return .doubleBins(try UniformBins(from: low, through: high))
      }
      return .singleBins(try UniformBins(from: Float(low), through: Float(high)))
    }
  }

  /// A table of zeros.
  var emptyTable: [UInt64] {
    switch self {
    case .none, .constant: []
    case .levels(_, let width, let lanes): Array(repeating: 0, count: width * lanes)
    case .singleBins, .doubleBins: Array(repeating: 0, count: uniformBinCount)
    case .fineBins: Array(repeating: 0, count: 2 * FineBins.count)
    }
  }

  private static func tooManyLevels(_ levels: Int128, _ low: Int128, _ high: Int128) -> Fault {
    Fault(
      .unsupported, "",
      "the image has \(levels) levels, from \(low) to \(high); up to \(levelLimit) can be counted",
      hint: "cast the image to a type of 16 bits, or use the method `mean` or `fixed`")
  }
}
