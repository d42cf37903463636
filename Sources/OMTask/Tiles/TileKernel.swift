public import OMGrid
public import OMJSON

/// How much of a volume a kernel must see at once.
public enum TileReach: Sendable {
  /// Any box, with a halo.
  case any
  /// Whole planes.
  case plane
  /// Whole volumes.
  case volume
}

/// Computes every voxel of a tile from the voxels around it.
///
/// An author writes the generic `apply(_:_:scratch:)`; the engine picks the copy for the type of the
/// image once per tile. The result must be a function of the voxels within `halo` and of the
/// position in the volume alone: then it does not depend on how the image was cut.
public protocol TileKernel: Sendable {
  /// How far the kernel looks beyond the voxel it computes, along z, y and x.
  var halo: Vector3 { get }

  /// How much of a volume it must see at once; `any` unless it says otherwise.
  var reach: TileReach { get }

  /// Bytes of scratch memory for a tile, for the plan of a run.
  ///
  /// - Parameter tile: The size of the input tile.
  /// - Returns: About as many as the kernel asks `TileScratch` for.
  func scratchByteCount(_ tile: Vector3) -> Int

  /// Computes the voxels of `output`.
  ///
  /// - Parameters:
  ///   - input: The box of `output` grown by `halo` and cut to the volume. The halo is thinner only
  ///     where the volume ends; what lies beyond is for the kernel to define.
  ///   - output: The voxels to compute, in the type that the recipe declares.
  ///   - scratch: Memory to work in.
  /// - Throws: A fault of kind `task` that says what cannot be computed.
  func apply<V: Voxel>(
    _ input: Tile<V>, _ output: OutputTile, scratch: TileScratch
  ) throws(Fault)

  /// The same for voxels whose type is only known at run time.
  func apply(
    _ dataType: DataType, _ voxels: UnsafeRawPointer, origin: Vector3, shape: Vector3,
    volume: Vector3, _ output: OutputTile, scratch: TileScratch
  ) throws(Fault)
}

extension TileKernel {
  /// Any box will do.
  public var reach: TileReach { .any }

  /// Some planes of the widest type, which is what most kernels need.
  public func scratchByteCount(_ tile: Vector3) -> Int { 4 * 8 * tile.y * tile.x + (1 << 20) }

  /// Calls the copy of `apply(_:_:scratch:)` made for this type.
  @inlinable public func apply(
    _ dataType: DataType, _ voxels: UnsafeRawPointer, origin: Vector3, shape: Vector3,
    volume: Vector3, _ output: OutputTile, scratch: TileScratch
  ) throws(Fault) {
    func call<V: Voxel>(_: V.Type) throws(Fault) {
      let tile = Tile(
        voxels: voxels.assumingMemoryBound(to: V.self), origin: origin, shape: shape,
        volume: volume)
      try apply(tile, output, scratch: scratch)
    }
    switch dataType {
    case .bool, .uint8: try call(UInt8.self)
    case .int8: try call(Int8.self)
    case .uint16: try call(UInt16.self)
    case .int16: try call(Int16.self)
    case .uint32: try call(UInt32.self)
    case .int32: try call(Int32.self)
    case .uint64: try call(UInt64.self)
    case .int64: try call(Int64.self)
    case .float16: try call(Float16.self)
    case .float32: try call(Float.self)
    case .float64: try call(Double.self)
    }
  }
}
