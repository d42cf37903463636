public import OMGrid

/// Where voxels lie in space and time: the sizes of a voxel along the axes.
public struct MeasuredSpace: Sendable, Equatable {
  /// The letters of the axes of the label image, in array order.
  public var axes: [String]
  /// The shape of the label image.
  public var shape: [Int]
  /// The size of a voxel along each axis, in micrometres along axes of space.
  ///
  /// As ngio does, an axis without a unit is taken to be in micrometres.
  public var sizes: [Double]
  /// Where the middle of the first voxel lies, in the same units.
  public var offsets: [Double]
  /// The size of a voxel along each axis, in the unit of the axis whatever that is.
  public var ownSizes: [Double]

  /// Makes the description of a label image.
  public init(
    axes: [String], shape: [Int], sizes: [Double], offsets: [Double], ownSizes: [Double]? = nil
  ) {
    self.axes = axes
    self.shape = shape
    self.sizes = sizes
    self.offsets = offsets
    self.ownSizes = ownSizes ?? sizes
  }

  /// The position of an axis, or nil when there is none of that letter.
  public func axis(_ letter: String) -> Int? { axes.firstIndex(of: letter) }

  /// The axes of space by their letters, in array order.
  public var space: [String] { axes.filter { ["z", "y", "x"].contains($0) } }

  /// Whether objects are flat: there is no z axis, or it has one plane.
  public var isFlat: Bool { axis("z").map { shape[$0] == 1 } ?? true }
}

/// What was added up for all objects of an image, in the order of time points and numbers.
public struct MeasuredObjects: Sendable {
  /// Where voxels lie.
  public let space: MeasuredSpace
  /// What each channel is called; empty for an image without channels.
  public let channelNames: [String]
  /// The type of the labels.
  public let labelType: DataType
  let sums: ObjectSums
  /// The places of the objects in the sums.
  let order: [Int]

  /// Makes the end result of a pass.
  ///
  /// - Parameters:
  ///   - sums: The merged sums.
  ///   - space: Where voxels lie.
  ///   - channelNames: What each channel is called.
  ///   - labelType: The type of the labels.
  package init(
    _ sums: ObjectSums, space: MeasuredSpace, channelNames: [String], labelType: DataType
  ) {
    self.sums = sums
    self.space = space
    self.channelNames = channelNames
    self.labelType = labelType
    let isSigned = [.int8, .int16, .int32, .int64].contains(labelType)
    let (labels, times) = (sums.labels, sums.times)
    order = labels.indices.sorted { left, right in
      if times[left] != times[right] { return times[left] < times[right] }
      return isSigned
        ? Int64(bitPattern: labels[left]) < Int64(bitPattern: labels[right])
        : labels[left] < labels[right]
    }
  }

  /// How many rows the table has.
  public var count: Int { order.count }

  /// The numbers of the objects.
  public var labels: TableColumn {
    labelType == .uint64
      ? TableColumn("label", .uint64(order.map { sums.labels[$0] }))
      : TableColumn("label", .int64(order.map { Int64(bitPattern: sums.labels[$0]) }))
  }

  /// Their time points.
  public var times: TableColumn {
    TableColumn("time_index", .int64(order.map { Int64(sums.times[$0]) }))
  }

  /// The least coordinate of each object along an axis, and one more than the largest.
  ///
  /// - Parameter letter: t, z, y or x.
  /// - Returns: Both for all objects, in order.
  public func box(_ letter: String) -> (low: [Int], high: [Int]) {
    let axis = ["t", "z", "y", "x"].firstIndex(of: letter) ?? 0
    return (
      order.map { word($0, SumsLayout.least + axis) },
      order.map { word($0, SumsLayout.largest + axis) + 1 }
    )
  }

  func word(_ object: Int, _ place: Int) -> Int {
    Int(truncatingIfNeeded: sums.words[object * sums.layout.stride + place])
  }

  /// A sum of an object.
  func sum(_ object: Int, _ place: Int, count: Int = 2) -> ExactSum {
    let start = object * sums.layout.stride + place
    return ExactSum(words: sums.words[start..<start + count])
  }
}

/// A sum as it was added up.
struct ExactSum {
  let words: ArraySlice<UInt64>

  /// The sum when it has at most 127 bits.
  var small: Int128? {
    guard words.count >= 2 else { return nil }
    let start = words.startIndex
    let value = Int128(bitPattern: UInt128(words[start]) | UInt128(words[start + 1]) << 64)
    let sign: UInt64 = value < 0 ? .max : 0
    return words.dropFirst(2).allSatisfy { $0 == sign } ? value : nil
  }

  /// The sum as a number of any size.
  var exact: ExactInteger { ExactInteger(sum: words) }

  /// The sum times a power of two, rounded once.
  func rounded(exponent: Int = 0) -> Double {
    if exponent == 0, let small { return Double(small) }
    return exact.rounded(exponent: exponent)
  }
}
