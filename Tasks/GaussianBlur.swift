import OMGrid
public import OMJSON
public import OMManifest
public import OMTask

/// `gaussian-blur`: a derived image, smoothed along the axes of space.
public struct GaussianBlurTask: RegionTask {
  private let parameters: GaussianBlurParameters

  /// Binds the task.
  public init(_ bound: Parameters) throws(Fault) {
    parameters = try GaussianBlurParameters(bound)
  }

  /// One image of the same type.
  public func product(for image: ImageInfo) throws(Fault) -> Product {
    if image.dataType == .bool {
      throw Fault(
        .usage, "", "the image is of type bool, which cannot be smoothed",
        hint: "`omtask run median` takes it")
    }
    var sigma = try image.alongSpace(parameters.sigma, named: "sigma", flat: 0)
    if parameters.unit == .micrometer {
      let size = try image.micrometersAlongSpace()
      sigma = (sigma.z / abs(size.z), sigma.y / abs(size.y), sigma.x / abs(size.x))
    }
    let widest = max(sigma.z, sigma.y, sigma.x)
    if widest > 1000 {
      throw Fault(
        .usage, "", "`sigma` is \(widest) voxels along an axis, at most 1000 can be smoothed",
        hint: "is the unit right? The image has voxels of \(image.levelScales[0]) "
          + image.units.map { $0 ?? "-" }.joined(separator: ", "))
    }
    let kernel = GaussianKernel(
      sigma: sigma, border: FilterBorder(rawValue: parameters.border.rawValue) ?? .reflect,
      kind: parameters.arithmetic == .scipy ? .scipy : .float)
    return .image(
      ImageRecipe(
        suffix: parameters.suffix, making: .tiles { _ in kernel }, dataType: image.dataType,
        downsampling: Downsampling(rawValue: parameters.pyramid.rawValue) ?? .mean))
  }
}
