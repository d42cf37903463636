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

  /// All levels, or the finest of them.
  public func product(for image: ImageInfo) throws(Fault) -> Product {
    var storage = Storage(
      version: Storage.Version(rawValue: parameters.omeVersion.rawValue),
      codec: Storage.Codec(rawValue: parameters.codec.rawValue), level: parameters.codecLevel)
    storage.chunk = try parameters.chunk.map { (chunk) throws(Fault) in
      try image.alongAxes(chunk, named: "chunk")
    }
    if let shard = parameters.shard {
      storage.sharding = .shape(try image.alongAxes(shard, named: "shard"))
    } else if parameters.sharding == .off {
      storage.sharding = .off
    }
    return .image(
      ImageRecipe(
        suffix: parameters.suffix, making: .copy(storage, levels: parameters.levels),
        dataType: DataType(rawValue: parameters.dtype.rawValue) ?? image.dataType,
        downsampling: .stride))
  }
}
