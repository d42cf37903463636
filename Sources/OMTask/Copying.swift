/// How a copy of an image is made: how it is stored, and which axes and levels it has.
public struct Copying: Sendable, Equatable {
  /// How many levels a copy has.
  public enum Levels: Sendable, Equatable {
    /// As many as the image.
    case same
    /// This many, at least one.
    case count(Int)
    /// So many that the coarsest fits in a chunk.
    case auto
  }

  /// How it is stored; shapes are in axes of the copy.
  public var storage: Storage
  /// The axes, by their letters; nil takes those of the image.
  ///
  /// Axes that the image lacks have one voxel.
  public var axes: [String]?
  /// How many levels it has; those that the image lacks are made of its coarsest one.
  public var levels: Levels

  /// Makes a choice.
  public init(storage: Storage, axes: [String]? = nil, levels: Levels = .same) {
    self.storage = storage
    self.axes = axes
    self.levels = levels
  }

  /// The letters of some axes in the order in which OME-Zarr has them.
  public static func ordered(_ letters: [String]) -> [String] {
    ["t", "c", "z", "y", "x"].filter(letters.contains)
  }
}
