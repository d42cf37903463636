/// The coarser levels that a task makes of an image, in the image itself.
///
/// The finest level is only read. Levels that are there are replaced by the new ones, all at once.
public struct PyramidRecipe: Sendable {
  /// What becomes of label images whose levels would no longer fit those of their image.
  public enum Labels: String, Sendable, CaseIterable {
    /// They get the same levels in the same run.
    case rebuild
    /// They stay as they are.
    case leave
  }

  /// How a coarser level is made; nil takes the mode for label images and the mean for others.
  public var downsampling: Downsampling?
  /// How many levels there are to be, the finest included; nil as many as there are, or, where there is
  /// one, until a level fits in a chunk.
  public var levels: Int?
  /// How many voxels become one along each axis from level to level; nil keeps the levels that there
  /// are, and makes voxels as cubic as they can be in new ones.
  public var factors: [Int]?
  /// Whether every level is made of the finest one instead of the level before.
  public var fromBase: Bool
  /// What becomes of label images.
  public var labels: Labels

  /// Makes a recipe.
  public init(
    downsampling: Downsampling?, levels: Int?, factors: [Int]?, fromBase: Bool, labels: Labels
  ) {
    self.downsampling = downsampling
    self.levels = levels
    self.factors = factors
    self.fromBase = fromBase
    self.labels = labels
  }
}
