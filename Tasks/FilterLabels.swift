public import OMJSON
public import OMManifest
public import OMTask

/// `filter-labels`: the labels of a label image that are wanted, in another label image.
public struct FilterLabelsTask: RegionTask {
  private let parameters: FilterLabelsParameters

  /// Binds the task.
  public init(_ bound: Parameters) throws(Fault) {
    parameters = try FilterLabelsParameters(bound)
    if let low = parameters.minSize, let high = parameters.maxSize, low > high {
      throw Fault(.usage, "", "`min_size` is \(low), above `max_size` \(high)")
    }
  }

  /// One label image beside the one that is read.
  public func product(for image: ImageInfo) throws(Fault) -> Product {
    let name = parameters.labelName ?? "\(parameters.label)_filtered"
    if name == parameters.label {
      throw Fault(
        .usage, "", "`label_name` is `\(name)`, the name of the label image that is read",
        hint: "give another name: labels stay as they are")
    }
    let filter = LabelFilter(
      border: LabelFilter.Border(rawValue: parameters.clearBorder.rawValue),
      minimumSize: parameters.minSize, maximumSize: parameters.maxSize,
      largest: parameters.keepLargest, relabels: parameters.relabel)
    return .labels([
      LabelRecipe(
        name: name, filtering: parameters.label, level: parameters.level, filter: filter,
        dataType: LabelType(rawValue: parameters.dtype.rawValue),
        downsampling: Downsampling(rawValue: parameters.pyramid.rawValue) ?? .mode)
    ])
  }
}
