public import OMJSON
public import OMManifest
public import OMTask

/// `threshold`: voxels above a threshold, as a mask or as numbered objects.
public struct ThresholdTask: RegionTask {
  /// Binds the task.
  public init(_ parameters: Parameters) throws(Fault) {}
  /// Not yet.
  public func recipes(for image: ImageInfo) throws(Fault) -> [LabelRecipe] { [] }
}
