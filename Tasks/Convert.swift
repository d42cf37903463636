import OMGrid
public import OMJSON
public import OMManifest
public import OMTask

/// `convert`: a copy of an image that is stored in another way, values untouched.
public struct ConvertTask: RegionTask {
  private let parameters: ConvertParameters

  /// Binds the task.
  public init(_ bound: Parameters) throws(Fault) {
    parameters = try ConvertParameters(bound)
    if parameters.sharding == .off && parameters.shard != nil {
      throw Fault(
        .usage, "", "`shard` is given, but `sharding` is `off`", hint: "give one of them only")
    }
  }

  /// Images whose channels come last, and the like.
  public static var takesAnyAxisOrder: Bool { true }

  /// The levels of the image, as many as are wanted.
  public func product(for image: ImageInfo) throws(Fault) -> Product {
    var storage = Storage(
      version: Storage.Version(rawValue: parameters.omeVersion.rawValue),
      codec: Storage.Codec(rawValue: parameters.codec.rawValue), level: parameters.codecLevel)
    let axes =
      parameters.axes == .same
      ? Copying.ordered(image.axes) : parameters.axes.rawValue.map(String.init)
    // Shapes are those of the copy.
    var copy = image
    copy.axes = axes
    storage.chunk = try parameters.chunk.map { (chunk) throws(Fault) in
      try copy.alongAxes(chunk, named: "chunk")
    }
    if let shard = parameters.shard {
      storage.sharding = .shape(try copy.alongAxes(shard, named: "shard"))
    } else if parameters.sharding == .off {
      storage.sharding = .off
    }
    return .image(
      ImageRecipe(
        suffix: parameters.suffix,
        making: .copy(Copying(storage: storage, axes: axes, levels: levels)),
        dataType: DataType(rawValue: parameters.dtype.rawValue) ?? image.dataType,
        downsampling: Downsampling(rawValue: parameters.pyramid.rawValue) ?? .mean))
  }

  private var levels: Copying.Levels {
    guard let count = parameters.levels else { return .same }
    return count == 0 ? .auto : .count(count)
  }
}
