import OMGrid
public import OMJSON
public import OMManifest
public import OMTask

/// `median`: a derived image, the median of the voxels around each voxel.
public struct MedianTask: RegionTask {
  private let parameters: MedianParameters

  /// Binds the task.
  public init(_ bound: Parameters) throws(Fault) {
    parameters = try MedianParameters(bound)
  }

  /// One image of the same type.
  public func product(for image: ImageInfo) throws(Fault) -> Product {
    let radius = try image.alongSpace(parameters.radius, named: "radius", flat: 0)
    let kernel = MedianKernel(
      radius: Vector3(radius.z, radius.y, radius.x),
      footprint: parameters.footprint == .ball ? .ball : .box,
      border: FilterBorder(rawValue: parameters.border.rawValue) ?? .reflect)
    return .image(
      ImageRecipe(
        suffix: parameters.suffix, making: .tiles { _ in kernel }, dataType: image.dataType,
        downsampling: Downsampling(rawValue: parameters.pyramid.rawValue) ?? .mean))
  }
}
