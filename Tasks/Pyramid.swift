public import OMJSON
public import OMManifest
public import OMTask

/// `pyramid`: the coarser levels of an image, made or made anew in their place.
public struct PyramidTask: RegionTask {
  private let parameters: PyramidParameters

  /// Binds the task.
  public init(_ bound: Parameters) throws(Fault) { parameters = try PyramidParameters(bound) }

  /// All levels but the finest.
  public func product(for image: ImageInfo) throws(Fault) -> Product {
    let factors = try parameters.factors.map { (given) throws(Fault) in
      let factors = try image.alongAxes(given, named: "factors")
      for (axis, factor) in zip(image.axes, factors)
      where factor != 1 && !image.spaceAxes.contains(axis) {
        throw Fault(
          .usage, "", "`factors` is \(factor) along \(axis), only axes of space get smaller",
          hint: "give 1 for \(axis)")
      }
      if factors.allSatisfy({ $0 == 1 }) {
        throw Fault(
          .usage, "", "`factors` is 1 along every axis, so no level would be coarser",
          hint: "give 2 along some axis")
      }
      return factors
    }
    return .pyramid(
      PyramidRecipe(
        downsampling: Downsampling(rawValue: parameters.method.rawValue),
        levels: parameters.levels, factors: factors, fromBase: parameters.fromBase,
        labels: PyramidRecipe.Labels(rawValue: parameters.labels.rawValue) ?? .rebuild))
  }
}
