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
    case copy(Copying)
  }

  /// Where the image goes.
  public enum Place: Sendable {
    /// Beside the image; in a plate into its well.
    case besideImage
    /// Beside the image; for an image of a plate into a new plate beside the plate, in the same well
    /// and under the same name.
    case newPlate
  }

  /// What is added to the name of the image, or of the new plate, after an underscore.
  public var suffix: String
  /// How the voxels are made.
  public var making: Making
  /// The type of the voxels.
  public var dataType: DataType
  /// How coarser levels are made.
  public var downsampling: Downsampling
  /// Where the image goes, unless the user says where.
  public var place: Place
  /// What to say of the voxels that kernels count (`TileScratch.counted`), behind their number; nil when
  /// they count none.
  public var countedNote: String?

  /// Makes a recipe.
  public init(
    suffix: String, making: Making, dataType: DataType, downsampling: Downsampling,
    place: Place = .besideImage
  ) {
    self.suffix = suffix
    self.making = making
    self.dataType = dataType
    self.downsampling = downsampling
    self.place = place
  }
}
