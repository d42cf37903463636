public import OMGrid
public import OMJSON

/// One derived image that a task makes of an image, beside it.
///
/// Every channel and time point is processed, unless the user selects some; voxels outside the
/// selection keep the fill value. Levels, scales and channels are those of the image.
public struct ImageRecipe: Sendable {
  /// How the voxels are made.
  public enum Making: Sendable {
    /// From the voxels around them, by a kernel for each channel.
    case tiles(kernel: @Sendable (_ channel: Int) throws(Fault) -> any TileKernel)
    /// From the voxels along one axis, which becomes one voxel long.
    case projection(Projection)
    /// From each voxel and the profiles of the illumination, which the engine reads.
    case illumination(Illumination)
    /// Every level of the same level of the image, voxel by voxel, stored in another way.
    case copy(Storage, levels: Int?)
  }

  /// What is added to the name of the image, after an underscore.
  public var suffix: String
  /// How the voxels are made.
  public var making: Making
  /// The type of the voxels.
  public var dataType: DataType
  /// How coarser levels are made.
  public var downsampling: Downsampling
  /// What to say of the voxels that kernels count (`TileScratch.counted`), behind their number; nil when
  /// they count none.
  public var countedNote: String?

  /// Makes a recipe.
  public init(
    suffix: String, making: Making, dataType: DataType, downsampling: Downsampling
  ) {
    self.suffix = suffix
    self.making = making
    self.dataType = dataType
    self.downsampling = downsampling
  }
}
