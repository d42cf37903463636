public import OMGrid
public import OMJSON
public import OMTask

/// An image in memory to try a task or a kernel on.
///
/// Voxels lie in C order without gaps. Label images may go with it, for tasks that read them.
public struct SampleImage: Sendable {
  /// The letter of each axis in array order: `t`, `c`, `z`, `y`, `x`, of which y and x are needed.
  public let axes: [String]
  /// The size along each axis.
  public let shape: [Int]
  /// The type of the voxels.
  public let dataType: DataType
  /// The size of a voxel along each axis; 1 unless said otherwise.
  public var scale: [Double]
  /// The unit of each axis, such as `micrometer`.
  public var units: [String?]
  /// How many levels it is stored with; coarser ones have every second voxel in space.
  public var levels = 2
  /// Where its first voxel lies in the image that it is a part of.
  package var origin: [Int]
  /// What is told of its channels, as OME-Zarr writes it (`omero`).
  package var omero: JSON?
  /// The label images that go with it, by name.
  package private(set) var labels: [(name: String, voxels: SampleImage)] = []
  /// The voxels.
  let bytes: [UInt8]

  /// Makes an image of voxels.
  ///
  /// - Parameters:
  ///   - voxels: All voxels in C order.
  ///   - shape: The size along each axis.
  ///   - axes: The letter of each axis; nil takes the last of t, c, z, y, x.
  /// - Throws: A fault of kind `usage` when these do not fit together.
  public init<V: Voxel>(
    _ voxels: [V], shape: [Int], axes: [String]? = nil
  ) throws(Fault) {
    let bytes = voxels.withUnsafeBytes { Array($0) }
    try self.init(bytes: bytes, V.dataType, shape: shape, axes: axes)
  }

  package init(
    bytes: [UInt8], _ dataType: DataType, shape: [Int], axes: [String]? = nil
  ) throws(Fault) {
    let known = ["t", "c", "z", "y", "x"]
    let axes = axes ?? Array(known.suffix(shape.count))
    guard axes == known.filter(axes.contains), axes.suffix(2) == ["y", "x"] else {
      throw Fault(
        .usage, "", "a sample has the axes \(axes.joined(separator: ", "))",
        hint: "some of t, c, z in this order, then y and x")
    }
    guard axes.count == shape.count, shape.allSatisfy({ $0 > 0 }),
      bytes.count == shape.reduce(dataType.byteCount, *)
    else {
      throw Fault(
        .usage, "",
        "a sample of \(bytes.count / dataType.byteCount) voxels has the shape \(shape) and the axes "
          + axes.joined(separator: ", "))
    }
    self.axes = axes
    self.shape = shape
    self.dataType = dataType
    self.bytes = bytes
    scale = axes.map { _ in 1 }
    origin = axes.map { _ in 0 }
    units = axes.map { ["z", "y", "x"].contains($0) ? "micrometer" : nil }
  }

  /// Adds a label image.
  ///
  /// - Parameters:
  ///   - name: Its name.
  ///   - voxels: Its numbers, of the same size along all axes; the axis c may be missing.
  /// - Throws: A fault of kind `usage` when it does not fit the image.
  public mutating func add(label name: String, _ voxels: SampleImage) throws(Fault) {
    let sizes = Dictionary(uniqueKeysWithValues: zip(axes, shape))
    let fits = zip(voxels.axes, voxels.shape).allSatisfy { sizes[$0] == $1 }
    guard fits, axes.filter({ $0 != "c" }) == voxels.axes.filter({ $0 != "c" }) else {
      throw Fault(
        .usage, "",
        "the label image `\(name)` has the shape \(voxels.shape), the sample has \(shape)")
    }
    guard !labels.contains(where: { $0.name == name }) else {
      throw Fault(.usage, "", "there are two label images `\(name)`")
    }
    labels.append((name, voxels))
  }
}

extension SampleImage {
  /// Where the last axes, those of space, begin.
  var leadingAxes: Int { axes.count - (axes.contains("z") ? 3 : 2) }

  /// The size of one (t, c) volume along z, y and x.
  var volume: Vector3 {
    let space = shape[leadingAxes...]
    return Vector3(
      space.count == 3 ? space[leadingAxes] : 1, shape[shape.count - 2], shape[shape.count - 1])
  }

  /// How many (t, c) volumes there are.
  var volumeCount: Int { shape[..<leadingAxes].reduce(1, *) }

  /// The voxels of one (t, c) volume.
  func volumeBytes(_ number: Int) -> [UInt8] {
    let count = bytes.count / volumeCount
    return Array(bytes[number * count..<(number + 1) * count])
  }

  /// The index along each leading axis of a volume.
  func leadingPosition(_ volume: Int) -> [Int] {
    ChunkGrid(
      arrayShape: Array(shape[..<leadingAxes]), cellShape: Array(repeating: 1, count: leadingAxes)
    ).position(of: volume)
  }

  /// The same description with other voxels.
  func with(_ bytes: [UInt8], _ dataType: DataType, shape: [Int]) throws(Fault) -> SampleImage {
    var image = try SampleImage(bytes: bytes, dataType, shape: shape, axes: axes)
    (image.scale, image.units, image.levels, image.omero) = (scale, units, levels, omero)
    image.origin = origin
    return image
  }

  /// The same image with other label images.
  func with(labels: [(name: String, voxels: SampleImage)]) -> SampleImage {
    var image = self
    image.labels = labels
    return image
  }
}
