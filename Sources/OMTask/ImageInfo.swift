public import OMGrid

/// What a task may know of an image before it is read: no store, no path, no rank.
public struct ImageInfo: Sendable {
  /// One channel as the image names it.
  public struct Channel: Sendable, Equatable {
    /// The name for people, for example `DAPI`.
    public var label: String?
    /// The identifier of the wavelength, for example `A01_C01`.
    public var wavelengthID: String?

    /// Makes a channel.
    public init(label: String?, wavelengthID: String?) {
      self.label = label
      self.wavelengthID = wavelengthID
    }
  }

  /// The name of the image.
  public var name: String
  /// Axis names in array order, for example `t`, `c`, `z`, `y`, `x`.
  public var axes: [String]
  /// The shape of every level, finest first.
  public var levelShapes: [[Int]]
  /// The size of a voxel of every level along each axis, in `units`.
  public var levelScales: [[Double]]
  /// The unit of each axis, such as `micrometer`; nil where the image names none.
  public var units: [String?]
  /// The type of the voxels.
  public var dataType: DataType
  /// The channels that the image describes; nil when it describes none.
  public var channels: [Channel]?

  /// Makes the description of an image.
  public init(
    name: String, axes: [String], levelShapes: [[Int]], levelScales: [[Double]]? = nil,
    units: [String?]? = nil, dataType: DataType, channels: [Channel]?
  ) {
    self.name = name
    self.axes = axes
    self.levelShapes = levelShapes
    self.levelScales = levelScales ?? levelShapes.map { _ in axes.map { _ in 1 } }
    self.units = units ?? axes.map { _ in nil }
    self.dataType = dataType
    self.channels = channels
  }

  /// The position of an axis in array order, or nil when the image has none of that name.
  public func axis(_ name: String) -> Int? { axes.firstIndex(of: name) }

  /// The number of channels; 1 for an image without a channel axis.
  public var channelCount: Int {
    guard let axis = axis("c"), let shape = levelShapes.first else { return 1 }
    return shape[axis]
  }
}
