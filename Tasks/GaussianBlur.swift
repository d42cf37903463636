import OMGrid
public import OMJSON
public import OMManifest
public import OMTask

/// `gaussian-blur`: a derived image, smoothed along the axes of space.
public struct GaussianBlurTask: RegionTask {
  private let parameters: GaussianBlurParameters

  /// Binds the task.
  public init(_ parameters: Parameters) throws(Fault) {
    self.parameters = try GaussianBlurParameters(parameters)
    let largest = 1000.0
    for sigma in self.parameters.sigma where !(0...largest).contains(sigma) {
      throw Fault(.usage, "", "`sigma` is \(sigma), the manifest of gaussian-blur allows 0 to 1000")
    }
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
    let kernel = GaussianKernel(
      sigma: sigma, border: FilterBorder(rawValue: parameters.border.rawValue) ?? .reflect,
      kind: parameters.arithmetic == .scipy ? .scipy : .float)
    return .image(
      ImageRecipe(
        suffix: parameters.suffix, making: .tiles { _ in kernel }, dataType: image.dataType,
        downsampling: Downsampling(rawValue: parameters.pyramid.rawValue) ?? .mean))
  }
}
