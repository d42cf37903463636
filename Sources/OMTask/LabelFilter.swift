/// Which labels of a label image stay, and which numbers they get.
///
/// A label is all voxels of one number in one (t, c) volume, whether they touch or not. Rules apply one
/// after the other: border, size, largest, numbers.
public struct LabelFilter: Sendable, Equatable {
  /// The sides of a volume that count as its border.
  public enum Border: String, Sendable, CaseIterable {
    /// The first and last plane, row and column.
    case zyx
    /// The first and last row and column of every plane.
    case yx
  }

  /// The border whose labels go; nil keeps them.
  public var border: Border?
  /// The fewest voxels of a label that stays.
  public var minimumSize: Int?
  /// The most voxels of a label that stays.
  public var maximumSize: Int?
  /// How many labels stay in each volume: those of most voxels, of equal ones those of smaller numbers.
  public var largest: Int?
  /// Whether numbers become 1…N in their order, over the whole image.
  public var relabels: Bool

  /// Makes a filter.
  public init(
    border: Border? = nil, minimumSize: Int? = nil, maximumSize: Int? = nil, largest: Int? = nil,
    relabels: Bool = false
  ) {
    self.border = border
    self.minimumSize = minimumSize
    self.maximumSize = maximumSize
    self.largest = largest
    self.relabels = relabels
  }
}
