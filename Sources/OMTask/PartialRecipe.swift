public import OMGrid
public import OMJSON
public import OMManifest

/// One table that a task makes of what it finds in each region of one channel of an image.
///
/// The engine reads the regions with their halos, keeps what is found in the journal, and makes one
/// table of it in the order of regions; so the table never depends on threads or ranks.
public struct PartialRecipe: Sendable {
  /// The name of the table.
  public var name: String
  /// How it is stored.
  public var backend: TableBackend
  /// What every region gives, and how that becomes one table.
  public var traits: PartialTraits
  /// The label image whose objects the rows are about; nil for rows about anything else.
  public var label: String?
  /// The channel that is read, by index.
  public var channel: Int
  /// The level that is read.
  public var level: Int
  /// Finds what is in a region.
  public var finder: any RegionFinder

  /// Makes a recipe.
  public init(
    name: String, backend: TableBackend, traits: PartialTraits, label: String?, channel: Int,
    level: Int, finder: any RegionFinder
  ) {
    self.name = name
    self.backend = backend
    self.traits = traits
    self.label = label
    self.channel = channel
    self.level = level
    self.finder = finder
  }
}

/// Finds something in the voxels of a region, as rows of declared columns.
public protocol RegionFinder: Sendable {
  /// How far it looks beyond the voxels that it answers for, along z, y and x.
  var halo: Vector3 { get }
  /// How much of a volume it must see at once.
  var reach: TileReach { get }

  /// Bytes of memory for a tile, for the plan of a run.
  func scratchByteCount(_ tile: Vector3) -> Int

  /// Looks at one box of a volume.
  ///
  /// - Parameters:
  ///   - tile: The voxels.
  ///   - core: The box that it answers for, in the volume; around it lies the halo.
  ///   - scratch: Memory to work in.
  /// - Returns: What was found: one part, or one for each plane where these are looked at one by one.
  /// - Throws: A fault of kind `task` or `program` that says what is wrong.
  func find(
    in tile: RegionTile, core: (origin: Vector3, shape: Vector3), scratch: TileScratch
  ) throws(Fault) -> [FoundRows]
}

/// The voxels of a box of one (t, c) volume whose type is only known at run time.
public struct RegionTile {
  /// The type of the voxels.
  public let dataType: DataType
  /// The voxels in C order without gaps.
  public let voxels: UnsafeRawPointer
  /// The first voxel of the box, in the volume.
  public let origin: Vector3
  /// The size of the box.
  public let shape: Vector3
  /// The size of the volume.
  public let volume: Vector3
  /// The time point; nil where the image has no time axis.
  public let time: Int?

  /// Makes a tile of memory that somebody else owns.
  public init(
    dataType: DataType, voxels: UnsafeRawPointer, origin: Vector3, shape: Vector3, volume: Vector3,
    time: Int?
  ) {
    self.dataType = dataType
    self.voxels = voxels
    self.origin = origin
    self.shape = shape
    self.volume = volume
    self.time = time
  }
}

/// What was found in one box of a volume: a value of every declared column for each row.
public struct FoundRows: Sendable, Equatable {
  /// The time point; 0 where the image has no time axis.
  public var time: Int
  /// The first voxel of the box that was answered for, along z, y and x.
  public var origin: Vector3
  /// The values, in the order of the declared columns.
  public var columns: [TableColumn.Values]

  /// Makes rows.
  public init(time: Int, origin: Vector3, columns: [TableColumn.Values]) {
    self.time = time
    self.origin = origin
    self.columns = columns
  }

  /// How many rows there are.
  public var rowCount: Int { columns.first?.count ?? 0 }

  /// Bytes of memory that they take, with their place in the order of all rows.
  public var byteCount: Int { columns.reduce(128 + 16 * rowCount) { $0 + $1.byteCount } }
}

extension TableColumn.Values {
  /// Bytes of memory that they take.
  var byteCount: Int {
    switch self {
    case .int64, .uint64, .float64: 8 * count
    case .bool: count
    case .string(let texts):
      // Short texts need no memory of their own.
      texts.reduce(16 * count) { $0 + ($1.utf8.count > 15 ? 32 + $1.utf8.count : 0) }
    }
  }
}
