import OMGrid
public import OMJSON
public import OMManifest
public import OMTask

/// `project`: a derived image, one voxel for each line of voxels along an axis.
public struct ProjectTask: RegionTask {
  private let parameters: ProjectParameters

  /// Binds the task.
  public init(_ parameters: Parameters) throws(Fault) {
    self.parameters = try ProjectParameters(parameters)
    let method = self.parameters.method
    if self.parameters.dtype != .auto && (method == .max || method == .min) {
      throw Fault(
        .usage, "",
        "`dtype` is `\(self.parameters.dtype.rawValue)`, but `\(method.rawValue)` takes voxels as "
          + "they are", hint: "leave `--dtype` out, or take the `mean` or the `sum`")
    }
  }

  /// One image whose projected axis is one voxel long.
  public func product(for image: ImageInfo) throws(Fault) -> Product {
    let projection = Projection(
      axis: parameters.axis.rawValue,
      method: Projection.Method(rawValue: parameters.method.rawValue) ?? .max,
      truncates: parameters.compat == .fractal)
    return .image(
      ImageRecipe(
        suffix: parameters.suffix ?? standardSuffix,
        making: .projection(projection), dataType: dataType(of: image.dataType),
        downsampling: Downsampling(rawValue: parameters.pyramid.rawValue) ?? .mean,
        place: parameters.plate == .new ? .newPlate : .besideImage))
  }

  /// The suffix when none is given: as Fractal's task has it where that is what is wanted.
  private var standardSuffix: String {
    if parameters.compat == .fractal && parameters.axis == .z {
      switch parameters.method {
      case .max: return "mip"
      case .min: return "minip"
      case .mean: return "meanip"
      case .sum: return "sumip"
      }
    }
    return "\(parameters.method.rawValue)_\(parameters.axis.rawValue)"
  }

  private func dataType(of image: DataType) -> DataType {
    switch parameters.dtype {
    case .float32: return .float32
    case .float64: return .float64
    case .auto: break
    }
    if parameters.method != .sum || parameters.compat == .fractal { return image }
    switch image {
    case .float16, .float32, .float64: return .float64
    case .int8, .int16, .int32, .int64: return .int64
    default: return .uint64
    }
  }
}
