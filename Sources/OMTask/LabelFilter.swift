/// Which labels of a label image stay, which shapes they take, and which numbers they get.
///
/// A label is all voxels of one number in one (t, c) volume, whether they touch or not. Rules apply one
/// after the other: border, size, largest, expansion, holes, numbers.
public struct LabelFilter: Sendable, Equatable {
  /// The axes of space that a rule looks along.
  public enum Axes: String, Sendable, CaseIterable {
    /// All of them: the border has a first and a last plane too.
    case zyx
    /// Every plane for itself.
    case yx
  }

  /// The border whose labels go; nil keeps them.
  ///
  /// A z axis of one plane has no border.
  public var border: Axes?
  /// Whether only those connected parts of a label go that touch the border, not the whole label.
  ///
  /// Parts share a face, an edge or a corner. Not with rules that look around voxels.
  public var clearsParts: Bool
  /// The fewest voxels of a label that stays.
  public var minimumSize: Int?
  /// The most voxels of a label that stays.
  public var maximumSize: Int?
  /// How many labels stay in each volume: those of most voxels, of equal ones those of smaller numbers.
  public var largest: Int?
  /// How far labels grow; nil leaves them as they are.
  public var expansion: LabelExpansion?
  /// Which holes are filled; nil fills none.
  public var holes: LabelHoles?
  /// Whether numbers become 1…N in their order, over the whole image.
  public var relabels: Bool

  /// Makes a filter.
  public init(
    border: Axes? = nil, clearsParts: Bool = false, minimumSize: Int? = nil,
    maximumSize: Int? = nil, largest: Int? = nil,
    expansion: LabelExpansion? = nil, holes: LabelHoles? = nil, relabels: Bool = false
  ) {
    self.border = border
    self.clearsParts = clearsParts
    self.minimumSize = minimumSize
    self.maximumSize = maximumSize
    self.largest = largest
    self.expansion = expansion
    self.holes = holes
    self.relabels = relabels
  }
}

/// Which holes of labels are filled.
///
/// A hole is a set of voxels of 0 that share faces, do not reach the border, and have voxels of one label
/// around them. What lies between two labels belongs to neither, and stays.
public struct LabelHoles: Sendable, Equatable {
  /// Whether voxels and border are those of the volume, or of every plane.
  public var axes: LabelFilter.Axes
  /// The most voxels of a hole that is filled; nil for any number.
  public var maximumSize: Int?

  /// Makes it.
  public init(axes: LabelFilter.Axes, maximumSize: Int? = nil) {
    self.axes = axes
    self.maximumSize = maximumSize
  }
}
