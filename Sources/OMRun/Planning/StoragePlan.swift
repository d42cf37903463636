import OMCodecs
import OMGrid
import OMImage
import OMJSON
import OMTask
import OMZarr

/// How the levels of a copy are stored.
struct StoragePlan: Sendable {
  let version: OMEVersion
  private let storage: Storage
  private let compression: Compression
  /// How images of TIFF files are stored; nil for others, whose own chunks are good ones.
  private let rows: RowStorage?

  /// Shards hold about as many voxels at most, like regions: large enough for any disk, small enough
  /// to be encoded by one worker.
  private static let shardVoxels = 1 << 24

  /// Chooses what the recipe leaves open.
  ///
  /// - Throws: `usage` for what cannot be stored that way.
  init(_ storage: Storage, _ image: OMEImage, _ dataType: DataType) throws(Fault) {
    self.storage = storage
    version = storage.version.flatMap { OMEVersion(rawValue: $0.rawValue) } ?? image.version
    if case .shape = storage.sharding, version.zarrFormat == 2 {
      throw Fault(
        .usage, "", "`shard` is given, but OME-Zarr \(version.rawValue) has no shards",
        hint: "`--ome-version 0.5` has, or leave `--shard` out")
    }
    compression = try StoragePlan.compression(storage, dataType)
    rows = image.location.store is TiffStore ? RowStorage(voxels: StoragePlan.shardVoxels) : nil
  }

  /// The layout of a level.
  ///
  /// - Parameters:
  ///   - shape: Its shape.
  ///   - source: The array whose chunks and shards it has where none were chosen.
  ///   - order: Its axes.
  ///   - dataType: The type of its voxels.
  /// - Returns: The layout.
  /// - Throws: `usage` for shapes that no reader could take.
  func layout(
    _ shape: [Int], like source: ArrayMetadata, _ order: AxisOrder, _ dataType: DataType
  ) throws(Fault) -> ArrayLayout {
    let chunk =
      storage.chunk ?? rows?.chunk(order.values(source.shape, new: 1), order.axes)
      ?? order.values(source.innerChunkShape, new: 1)
    try check("chunk", chunk, dataType, StoragePlan.chunkBytes)
    if case .shape(let shard) = storage.sharding {
      try check("shard", shard, dataType, StoragePlan.shardBytes)
    }
    return try ArrayLayout(
      zarrFormat: version.zarrFormat, shape: shape, dataType: dataType, chunkShape: chunk,
      shardShape: try shard(chunk, shape, source, order), compression: compression,
      dimensionNames: order.axes.map(\.name), keySeparator: version.keySeparator)
  }

  /// Refuses what no reader could take, and what no number counts.
  private func check(
    _ name: String, _ shape: [Int], _ dataType: DataType, _ most: Int
  ) throws(Fault) {
    if product(of: shape + [dataType.byteCount], atMost: most) == nil {
      throw Fault(
        .usage, "", "`\(name)` is \(shape), more than \(most >> 20) MiB before compression")
    }
  }

  /// Decoded chunks of more bytes are refused by readers, ours among them.
  private static let chunkBytes = 2 << 30
  private static let shardBytes = 64 << 30

  private func shard(
    _ chunk: [Int], _ shape: [Int], _ source: ArrayMetadata, _ order: AxisOrder
  ) throws(Fault) -> [Int]? {
    if version.zarrFormat == 2 { return nil }
    switch storage.sharding {
    case .off: return nil
    case .shape(let shard):
      guard zip(shard, chunk).allSatisfy({ $0.isMultiple(of: $1) }) else {
        throw Fault(
          .usage, "", "`shard` is \(shard), not a multiple of the chunks \(chunk)",
          hint: "give whole multiples along every axis")
      }
      return shard
    case .auto:
      if source.isSharded && storage.chunk == nil {
        return order.values(source.storedChunkShape, new: 1)
      }
      return rows?.shard(chunk, shape, like: order.values(source.innerChunkShape, new: 1))
        ?? grown(chunk, shape, order)
    }
  }

  /// Chunks, put together along the axes of space.
  private func grown(_ chunk: [Int], _ shape: [Int], _ order: AxisOrder) -> [Int] {
    let space = order.axes.indices.filter { order.axes[$0].kind == .space }
    var shard = chunk
    var grows = true
    while grows {
      grows = false
      for axis in space.reversed() where shard[axis] < shape[axis] {
        if shard.reduce(1, *) * 2 <= StoragePlan.shardVoxels {
          shard[axis] *= 2
          grows = true
        }
      }
    }
    return shard
  }

  private static func compression(
    _ storage: Storage, _ dataType: DataType
  ) throws(Fault) -> Compression {
    // Measured on microscopy: byte shuffle helps numbers of several bytes, and nothing else.
    let codec = storage.codec ?? (dataType.byteCount > 1 ? .bloscZstd : .zstd)
    let range: ClosedRange<Int>
    let usual: Int
    switch codec {
    case .none: (range, usual) = (0...0, 0)
    case .zstd: (range, usual) = (1...22, 3)
    case .gzip: (range, usual) = (0...9, 5)
    case .bloscZstd: (range, usual) = (0...9, 1)
    case .bloscLZ4, .bloscLZ4HC, .bloscZlib: (range, usual) = (0...9, 5)
    }
    let level = storage.level ?? usual
    guard range.contains(level) else {
      throw Fault(
        .usage, "",
        codec == .none
          ? "`codec_level` is \(level), but `codec` is `none`"
          : "`codec_level` is \(level), \(codec.rawValue) has \(range.lowerBound) to "
            + "\(range.upperBound)")
    }
    switch codec {
    case .none: return .none
    case .zstd: return .zstd(level: level)
    case .gzip: return .gzip(level: level)
    case .bloscZstd: return blosc("zstd", level, dataType)
    case .bloscLZ4: return blosc("lz4", level, dataType)
    case .bloscLZ4HC: return blosc("lz4hc", level, dataType)
    case .bloscZlib: return blosc("zlib", level, dataType)
    }
  }

  private static func blosc(
    _ compressor: String, _ level: Int, _ dataType: DataType
  ) -> Compression {
    .blosc(
      BloscOptions(
        compressor: compressor, level: level, shuffle: dataType.byteCount > 1 ? .byte : .none,
        blockSize: 0))
  }
}
