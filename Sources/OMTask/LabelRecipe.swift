public import OMGrid
public import OMJSON

/// The voxels that one global statistic is taken over.
public enum StatisticsScope: String, Sendable, CaseIterable {
  /// Every (t, c) volume for itself.
  case volume
  /// Every (t, c, z) plane for itself.
  case plane
  /// Every channel over all time points.
  case channel
  /// The whole image.
  case image
  /// Every channel of the recipe over all images of the run.
  case plate
}

/// Which voxels touch each other.
public enum Connectivity: String, Sendable, CaseIterable {
  /// Voxels that share a face (4 neighbours in a plane, 6 in a volume).
  case faces
  /// Voxels that share a face or an edge (8 and 18).
  case edges
  /// Voxels that share a face, an edge or a corner (8 and 26).
  case full

  /// In how many coordinates two neighbours may differ, as SciPy and scikit-image count.
  public var order: Int {
    switch self {
    case .faces: 1
    case .edges: 2
    case .full: 3
    }
  }
}

/// Which connected components count as objects.
public struct ObjectRules: Sendable, Equatable {
  /// Which voxels touch each other.
  public var connectivity: Connectivity
  /// The fewest voxels of an object.
  public var minimumSize: Int?
  /// The most voxels of an object.
  public var maximumSize: Int?
  /// Whether objects that touch the border of their volume are dropped.
  public var clearsBorder: Bool
  /// Whether objects are numbered 1…N; otherwise every object is written as 1.
  public var numbers: Bool
  /// Whether voxels are joined only where their values are equal.
  ///
  /// Foreground is then every voxel that is not 0, whatever `choose` says; voxels are whole numbers.
  public var comparesValues: Bool

  /// Makes the rules.
  public init(
    connectivity: Connectivity, minimumSize: Int? = nil, maximumSize: Int? = nil,
    clearsBorder: Bool = false, numbers: Bool = true, comparesValues: Bool = false
  ) {
    self.connectivity = connectivity
    self.minimumSize = minimumSize
    self.maximumSize = maximumSize
    self.clearsBorder = clearsBorder
    self.numbers = numbers
    self.comparesValues = comparesValues
  }
}

/// The type of a label image.
public enum LabelType: String, Sendable, CaseIterable {
  case uint8, uint16, uint32, uint64

  /// The same as a type of voxels.
  public var dataType: DataType {
    switch self {
    case .uint8: .uint8
    case .uint16: .uint16
    case .uint32: .uint32
    case .uint64: .uint64
    }
  }

  /// The largest number it holds.
  public var largest: UInt64 {
    switch self {
    case .uint8: UInt64(UInt8.max)
    case .uint16: UInt64(UInt16.max)
    case .uint32: UInt64(UInt32.max)
    case .uint64: .max
    }
  }
}

/// What makes objects of neighbouring regions one.
public enum TileSeam: Sendable, Equatable {
  /// Nothing: every object ends with its region.
  case none
  /// Voxels of both that touch across the border.
  case touching(Connectivity)
  /// That both regions found it: in the box that both see with their halos, the voxels that belong to
  /// both objects are more than half of those that belong to one of them.
  ///
  /// The kernel then labels its whole input, the halo included.
  case overlapping

  /// Its name in manifests and results.
  public var name: String {
    switch self {
    case .none: "none"
    case .touching: "touch"
    case .overlapping: "overlap"
    }
  }
}

/// Objects that a kernel finds and numbers within each region by itself.
public struct TileLabels: Sendable {
  /// Makes the numbers of a region, as `uint32`; 0 is background.
  public var kernel: any TileKernel
  /// What makes objects of neighbouring regions one.
  public var seam: TileSeam

  /// Makes it.
  public init(kernel: any TileKernel, seam: TileSeam) {
    self.kernel = kernel
    self.seam = seam
  }
}

/// The threshold of one scope and the kernel that applies it.
public struct MaskChoice: Sendable {
  /// The threshold that was used; nil when there is none to tell of.
  public var threshold: Double?
  /// The kernel that applies it.
  public var kernel: any MaskKernel

  /// Makes a choice.
  public init(threshold: Double? = nil, kernel: any MaskKernel) {
    self.threshold = threshold
    self.kernel = kernel
  }
}

/// A way to choose that a preview compares with others.
public struct MaskAlternative: Sendable {
  /// Its name, as the value of a parameter.
  public var name: String
  /// Whether a run takes it.
  public var isChosen: Bool
  /// What must be known of each scope; nil for a fixed choice.
  public var statistics: StatisticsNeed?
  /// Chooses threshold and kernel from the merged statistics of one scope.
  public var choose: @Sendable (VoxelStatistics?) throws(Fault) -> MaskChoice

  /// Makes an alternative.
  public init(
    name: String, isChosen: Bool, statistics: StatisticsNeed?,
    choose: @escaping @Sendable (VoxelStatistics?) throws(Fault) -> MaskChoice
  ) {
    self.name = name
    self.isChosen = isChosen
    self.statistics = statistics
    self.choose = choose
  }
}

/// One label image that a task makes of an image: the passes, in the task's own words.
///
/// The engine takes the statistics of every scope (a mergeable partial per region, merged over
/// threads and ranks), asks `choose` for the kernel of each scope, and then makes the mask or the
/// objects, region by region. The result never depends on how the image was cut.
public struct LabelRecipe: Sendable {
  /// The name of the label image; nil names it after its channel.
  public var name: String?
  /// The label image of the image whose voxels are read, all its channels; nil reads the image.
  public var label: String?
  /// A label image of the image: only voxels of its objects count for statistics and can be
  /// foreground; nil counts all that are selected.
  public var masking: String?
  /// The channels to read, by index; several only when `keepsChannelAxis` is true.
  public var channels: [Int]
  /// Whether the label image has a channel axis too.
  public var keepsChannelAxis: Bool
  /// The level to read.
  public var level: Int
  /// Smooths every volume before its voxels are looked at, in the type of the image; nil takes them
  /// as they are.
  public var smoothing: (any TileKernel)?
  /// Finds the objects of a region instead of `choose` and the connectivity of `objects`.
  public var tiles: TileLabels?
  /// What must be known of each scope before `choose` is asked; nil for a fixed choice.
  public var statistics: StatisticsNeed?
  /// The voxels that one choice is made for.
  public var scope: StatisticsScope
  /// Chooses threshold and kernel from the merged statistics of one scope.
  public var choose: @Sendable (VoxelStatistics?) throws(Fault) -> MaskChoice
  /// The ways to choose that `omtask preview` compares, this one among them; none by default.
  public var alternatives: [MaskAlternative] = []
  /// Which components count; nil when the mask is written as it is.
  public var objects: ObjectRules?
  /// Which labels stay, when the voxels are labels already; nil makes a mask or objects.
  public var filter: LabelFilter?
  /// The type of the label image; nil picks one that holds every number.
  public var dataType: LabelType?
  /// How coarser levels are made.
  public var downsampling: Downsampling

  /// Makes a recipe of objects that a kernel finds by itself.
  public init(
    name: String?, channel: Int, level: Int, tiles: TileLabels, dataType: LabelType?,
    downsampling: Downsampling
  ) {
    self.init(
      name: name, channels: [channel], keepsChannelAxis: false, level: level, statistics: nil,
      scope: .volume, objects: ObjectRules(connectivity: .faces), dataType: dataType,
      downsampling: downsampling
    ) { _ throws(Fault) in
      throw Fault(.internal, "", "a mask was asked of a task that makes labels")
    }
    self.tiles = tiles
  }

  /// Makes a recipe.
  public init(
    name: String?, label: String? = nil, masking: String? = nil, channels: [Int],
    keepsChannelAxis: Bool, level: Int,
    smoothing: (any TileKernel)? = nil,
    statistics: StatisticsNeed?, scope: StatisticsScope, objects: ObjectRules?,
    dataType: LabelType?, downsampling: Downsampling,
    choose: @escaping @Sendable (VoxelStatistics?) throws(Fault) -> MaskChoice
  ) {
    self.name = name
    self.label = label
    self.masking = masking
    self.channels = channels
    self.keepsChannelAxis = keepsChannelAxis
    self.level = level
    self.smoothing = smoothing
    self.statistics = statistics
    self.scope = scope
    self.choose = choose
    self.objects = objects
    self.dataType = dataType
    self.downsampling = downsampling
  }

  /// Makes a recipe for the labels of a label image that stay.
  ///
  /// - Parameters:
  ///   - name: The name of the new label image.
  ///   - label: The label image that is read.
  ///   - level: The level to read.
  ///   - filter: Which labels stay.
  ///   - dataType: The type of the new label image; nil takes that of the other one.
  ///   - downsampling: How coarser levels are made.
  public init(
    name: String, filtering label: String, level: Int, filter: LabelFilter, dataType: LabelType?,
    downsampling: Downsampling
  ) {
    self.init(
      name: name, label: label, channels: [0], keepsChannelAxis: false, level: level,
      statistics: nil, scope: .volume, objects: nil, dataType: dataType, downsampling: downsampling
    ) { _ throws(Fault) in
      throw Fault(.internal, "", "labels that are filtered have no threshold")
    }
    self.filter = filter
  }
}
