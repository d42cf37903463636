public import OMGrid
public import OMJSON

/// What a threshold method must know about the voxels.
public enum StatisticsNeed: UInt8, Sendable, CaseIterable {
  /// The mean only.
  case sum
  /// Counts: of every level for integers, in 256 bins for floating-point images.
  case histogram
  /// Counts and sums in 65,536 bins for floating-point images; as `histogram` for integers.
  case fineHistogram
}

/// What is known of a set of voxels, small enough to send and mergeable in any order.
///
/// A partial of some voxels and a partial of others merge into the partial of all of them. Merging
/// is associative and commutative to the last bit, and a fresh value is its identity, so neither
/// regions nor ranks nor the order of arrival can change a threshold: counts are integers, and
/// sums are exact (integers in 128 bits, floating-point numbers by `ExactFloatSum`).
///
/// Types of up to 16 bits need one pass, which counts every level. Wider types need a first pass
/// for the range and, unless only the mean is wanted, a second one that counts within that range:
///
///     var survey = VoxelStatistics(need: .histogram, dataType: .float32)
///     // add and merge all voxels
///     var counts = try VoxelStatistics(counting: survey)
///     // add and merge all voxels once more
///     let threshold = try ThresholdMethod.otsu.threshold(of: counts)
public struct VoxelStatistics: Sendable {
  /// What the partial is collected for.
  public let need: StatisticsNeed
  /// The type of the voxels.
  public let dataType: DataType
  /// The pass over the image this partial belongs to, 1 or 2.
  public let pass: Int
  /// The number of voxels added.
  public internal(set) var count: UInt64 = 0

  let scheme: CountingScheme
  /// The counts, as `scheme` lays them out; empty when it counts nothing.
  var table: [UInt64]
  /// In pass 1 of a wide type what was seen so far, in pass 2 the range of pass 1.
  var range: VoxelRange?
  var integerSum: Int128 = 0
  /// The sum of floating-point voxels, nil when nobody asked for it.
  var floatSum: ExactFloatSum?

  /// Makes the identity of the first pass.
  public init(need: StatisticsNeed, dataType: DataType) {
    self.need = need
    self.dataType = dataType
    pass = 1
    scheme = .ofFirstPass(dataType)
    table = scheme.emptyTable
    floatSum = need == .sum && dataType.isFloat ? ExactFloatSum() : nil
  }

  /// Makes the identity of the second pass, which counts within the range the first one found.
  ///
  /// - Parameter merged: The partial of all voxels of the first pass.
  /// - Throws: `.unsupported` when an integer image has more than 2^24 levels, `.task` when a
  ///   floating-point range is too narrow, too wide or empty.
  public init(counting merged: VoxelStatistics) throws(Fault) {
    guard let range = merged.range, merged.needsSecondPass else {
      throw Fault(.task, "", "there are no voxels to count")
    }
    try self.init(need: merged.need, dataType: merged.dataType, within: range)
  }

  init(need: StatisticsNeed, dataType: DataType, within range: VoxelRange) throws(Fault) {
    self.need = need
    self.dataType = dataType
    pass = 2
    scheme = try .ofSecondPass(need, dataType, range)
    table = scheme.emptyTable
    self.range = range
  }

  /// Whether the voxels must be visited once more, by `init(counting:)`, before there is a
  /// histogram; known before any voxel is added.
  public var needsSecondPass: Bool { pass == 1 && need != .sum && scheme == .none }

  /// Whether all was collected that a method with this need looks at.
  func serves(_ wanted: StatisticsNeed) -> Bool {
    if case .levels = scheme { return true }
    return need == wanted && !needsSecondPass
  }
}

extension VoxelStatistics {
  /// The smallest and largest voxel, nil when there is none.
  var valueRange: VoxelRange? {
    guard count > 0 else { return nil }
    guard let levels = levelCounts else { return range }
    return .integers(levels.first, levels.first + Int128(levels.counts.count - 1))
  }

  /// The smallest voxel, nil when there is none.
  public var minimum: Double? { valueRange?.low }

  /// The largest voxel, nil when there is none.
  public var maximum: Double? { valueRange?.high }

  /// The smallest voxel written exactly, also where a `Double` would round it.
  public var minimumText: String? { valueRange?.text(of: dataType).low }

  /// The largest voxel written exactly, also where a `Double` would round it.
  public var maximumText: String? { valueRange?.text(of: dataType).high }

  /// Whether all voxels have the same value.
  public var isConstant: Bool { valueRange?.isConstant ?? false }

  /// The mean: the exact sum, rounded once, over the count; nil when it was not collected.
  public var mean: Double? {
    guard count > 0 else { return nil }
    if let levels = levelCounts { return Double(levels.sum) / Double(count) }
    if let floatSum { return floatSum.rounded / Double(count) }
    return scheme == .none && !dataType.isFloat ? Double(integerSum) / Double(count) : nil
  }

  /// The number of voxels above a threshold, nil when the levels were not counted one by one.
  ///
  /// - Parameters:
  ///   - threshold: Any number; it need not be a level.
  ///   - inclusive: Whether a voxel equal to the threshold counts too.
  /// - Returns: The number, or nil.
  public func voxelCount(above threshold: Double, inclusive: Bool = false) -> UInt64? {
    guard let levels = levelCounts else { return nil }
    var total: UInt64 = 0
    for (offset, voxels) in levels.counts.enumerated() {
      let level = Double(levels.first + Int128(offset))
      if level > threshold || inclusive && level == threshold { total += voxels }
    }
    return total
  }

  /// The share of voxels above a threshold, from 0 to 1; nil when it is unknown.
  public func foregroundShare(above threshold: Double, inclusive: Bool = false) -> Double? {
    guard count > 0 else { return nil }
    return voxelCount(above: threshold, inclusive: inclusive).map { Double($0) / Double(count) }
  }
}
