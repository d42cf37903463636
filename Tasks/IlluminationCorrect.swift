import OMGrid
public import OMJSON
public import OMManifest
public import OMTask

/// `illumination-correct`: a derived image, evenly lit.
public struct IlluminationCorrectTask: RegionTask {
  private let parameters: IlluminationCorrectParameters

  /// Binds the task.
  public init(_ bound: Parameters) throws(Fault) {
    parameters = try IlluminationCorrectParameters(bound)
    if parameters.flatFields.isEmpty {
      throw Fault(.usage, "", "`flat_fields` is empty", hint: "give the path of a flat field")
    }
  }

  /// One image of the same type.
  public func product(for image: ImageInfo) throws(Fault) -> Product {
    for (name, paths) in [
      ("flat_fields", parameters.flatFields), ("dark_fields", parameters.darkFields),
    ] where paths.count > 1 && paths.count != image.channelCount {
      throw Fault(
        .usage, "",
        "`\(name)` has \(paths.count) paths, the image has \(image.channelCount) channels",
        hint: "give one for all channels, or one for each")
    }
    if parameters.compat == .fractal && image.dataType.isFloat {
      throw Fault(
        .usage, "",
        "`compat` is `fractal`, which is arithmetic of whole numbers; the voxels are "
          + image.dataType.rawValue, hint: "leave `--compat` out")
    }
    let illumination = Illumination(
      flatFields: parameters.flatFields, darkFields: parameters.darkFields,
      fields: parameters.fieldTable, constant: parameters.constant,
      truncates: parameters.compat == .fractal)
    return .image(
      ImageRecipe(
        suffix: parameters.suffix, making: .illumination(illumination), dataType: image.dataType,
        downsampling: Downsampling(rawValue: parameters.pyramid.rawValue) ?? .mean))
  }
}
