public import OMGrid

/// Voxels of a box of one (t, c) volume, in C order without gaps, to be read.
///
/// Positions are those of the volume: the first voxel of the volume is 0, 0, 0, and images without
/// a z axis have one plane. The voxels belong to the engine and are valid during the call only.
@frozen public struct Tile<V: Voxel> {
  /// The voxel at `origin`.
  public let voxels: UnsafePointer<V>
  /// The first voxel of the box.
  public let origin: Vector3
  /// The size of the box.
  public let shape: Vector3
  /// The size of the volume that the box lies in.
  public let volume: Vector3

  /// Makes a tile of memory that somebody else owns.
  @inlinable public init(
    voxels: UnsafePointer<V>, origin: Vector3, shape: Vector3, volume: Vector3
  ) {
    self.voxels = voxels
    self.origin = origin
    self.shape = shape
    self.volume = volume
  }

  /// The row of a plane, from its voxel at x = `origin.x` on.
  ///
  /// - Precondition: The box holds the row.
  @inlinable public func row(z: Int, y: Int) -> UnsafePointer<V> {
    voxels + ((z - origin.z) * shape.y + (y - origin.y)) * shape.x
  }
}

/// Room for the voxels of a box of one (t, c) volume, in C order without gaps, to be written.
///
/// Every voxel must be written; what is there before is not defined.
public struct OutputTile {
  /// The voxel at `origin`.
  public let start: UnsafeMutableRawPointer
  /// The type of the voxels.
  public let dataType: DataType
  /// The first voxel of the box.
  public let origin: Vector3
  /// The size of the box.
  public let shape: Vector3

  /// Makes a tile of memory that somebody else owns.
  public init(
    start: UnsafeMutableRawPointer, dataType: DataType, origin: Vector3, shape: Vector3
  ) {
    self.start = start
    self.dataType = dataType
    self.origin = origin
    self.shape = shape
  }

  /// The row of a plane as voxels of a type, from its voxel at x = `origin.x` on.
  ///
  /// - Precondition: The box holds the row, and `V` is the type that `dataType` names.
  @inlinable public func row<V: Voxel>(z: Int, y: Int, _: V.Type) -> UnsafeMutablePointer<V> {
    start.assumingMemoryBound(to: V.self)
      + ((z - origin.z) * shape.y + (y - origin.y)) * shape.x
  }
}

/// Memory that a kernel may use while it works; it is kept from tile to tile.
///
/// A value belongs to one worker, so kernels need not lock anything.
public final class TileScratch {
  private var rooms: [UnsafeMutableRawBufferPointer] = []
  /// Called by kernels that take long, whenever they move on.
  public var sign: () -> Void = {}
  /// Voxels that a kernel counts because people should know of them, such as saturated ones; the engine
  /// takes the sum after each region.
  public var counted = 0

  /// Starts without memory.
  public init() {}

  deinit { for room in rooms { room.deallocate() } }

  /// Memory of at least a size; what is in it is not defined.
  ///
  /// - Parameters:
  ///   - number: Which piece of memory: 0, 1, 2, …; another number is other memory.
  ///   - type: What it holds.
  ///   - count: How many values it must hold.
  /// - Returns: The memory, valid until the same piece is asked for again.
  public func room<Value: BitwiseCopyable>(
    _ number: Int, _ type: Value.Type, count: Int
  ) -> UnsafeMutablePointer<Value> {
    while rooms.count <= number { rooms.append(.allocate(byteCount: 64, alignment: 64)) }
    let byteCount = max(1, count) * MemoryLayout<Value>.stride
    if rooms[number].count < byteCount {
      rooms[number].deallocate()
      rooms[number] = .allocate(byteCount: byteCount, alignment: 64)
    }
    // Never empty, so there is an address.
    return rooms[number].baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: Value.self)
  }
}
