public import OMJSON
public import OMManifest
public import OMTask

/// `filter-labels`: the labels of a label image that are wanted, as large as they are wanted, in another
/// label image.
public struct FilterLabelsTask: RegionTask {
  private let parameters: FilterLabelsParameters

  /// Binds the task.
  public init(_ bound: Parameters) throws(Fault) {
    parameters = try FilterLabelsParameters(bound)
    if let low = parameters.minSize, let high = parameters.maxSize, low > high {
      throw Fault(.usage, "", "`min_size` is \(low), above `max_size` \(high)")
    }
    if parameters.clearBorderBy == .part {
      if parameters.clearBorder == .off {
        throw Fault(
          .usage, "", "`clear_border_by` is `part`, but `clear_border` is `off`",
          hint: "add `--clear-border zyx`, or `yx` for the sides of planes")
      }
      if parameters.expand ?? 0 > 0 || parameters.fillHoles != .off {
        throw Fault(
          .usage, "",
          "`clear_border_by` is `part`, with `\(parameters.fillHoles == .off ? "expand" : "fill_holes")`",
          hint: "clear the border first, and give the label image that comes out to a second call")
      }
    }
    if parameters.expand == nil {
      for (name, value, standard) in [
        ("unit", parameters.unit.rawValue, "pixel"),
        ("expand_axes", parameters.expandAxes.rawValue, "zyx"),
      ] where value != standard {
        throw Fault(
          .usage, "", "`\(name)` is `\(value)`, but `expand` is not given",
          hint: "add `--expand` with the distance by which labels grow")
      }
    }
    if parameters.maxHoleSize != nil && parameters.fillHoles == .off {
      throw Fault(
        .usage, "", "`max_hole_size` is given, but `fill_holes` is `off`",
        hint: "add `--fill-holes zyx`, or `yx` for every plane")
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
      border: LabelFilter.Axes(rawValue: parameters.clearBorder.rawValue),
      clearsParts: parameters.clearBorderBy == .part, minimumSize: parameters.minSize,
      maximumSize: parameters.maxSize,
      largest: parameters.keepLargest, expansion: expansion, holes: holes,
      relabels: parameters.relabel)
    return .labels([
      LabelRecipe(
        name: name, filtering: parameters.label, level: parameters.level, filter: filter,
        dataType: LabelType(rawValue: parameters.dtype.rawValue),
        downsampling: Downsampling(rawValue: parameters.pyramid.rawValue) ?? .mode)
    ])
  }

  private var expansion: LabelExpansion? {
    guard let distance = parameters.expand, distance > 0 else { return nil }
    return LabelExpansion(
      distance: distance, unit: LabelExpansion.Unit(rawValue: parameters.unit.rawValue) ?? .pixel,
      axes: LabelFilter.Axes(rawValue: parameters.expandAxes.rawValue) ?? .zyx)
  }

  private var holes: LabelHoles? {
    LabelFilter.Axes(rawValue: parameters.fillHoles.rawValue).map {
      LabelHoles(axes: $0, maximumSize: parameters.maxHoleSize)
    }
  }
}
