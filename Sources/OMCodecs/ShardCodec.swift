import OMGrid
import OMJSON

/// A shard that is decoded whole, as one chunk.
///
/// Shards inside shards and shards that further codecs compress are read like this; the shards of
/// an array itself are read in parts.
struct ShardCodec: Sendable {
  /// The bytes that the index and the indexes within add to the inner chunks.
  let indexByteCount: Int
  private let layout: ShardLayout
  private let inner: CodecPipeline
  private let shardShape: [Int]
  private let fillValue: [UInt8]

  /// What a writer uses to compress like the inner chunks.
  var compression: Compression { inner.compression }

  /// The shape of an inner chunk in array axes.
  var innerChunkShape: [Int] { layout.innerChunkShape }

  /// Reads the configuration of `sharding_indexed`.
  ///
  /// - Parameters:
  ///   - chain: The codecs of the shard.
  ///   - shardShape: The shape of the shard in array axes, with a product that was checked.
  ///   - dataType: The type of the voxels.
  ///   - fillValue: One voxel of inner chunks that are not stored.
  /// - Throws: `metadata`, `limit` or `unsupported`.
  init(
    _ chain: CodecChain, shardShape: [Int], dataType: DataType, fillValue: [UInt8]
  ) throws(Fault) {
    layout = try ShardLayout(chain, shardShape: shardShape)
    inner = try CodecPipeline(
      v3: layout.innerChain, chunkShape: layout.innerChunkShape, dataType: dataType,
      fillValue: fillValue)
    indexByteCount =
      layout.index.encodedByteCount + layout.index.cellCount * inner.shardIndexByteCount
    try ShapeRules(subject: chain.subject).index(
      indexByteCount, elementByteCount: 1, "the indexes in a chunk,")
    self.shardShape = shardShape
    self.fillValue = fillValue
  }

  /// Decodes all inner chunks.
  func decode(
    _ encoded: UnsafeRawBufferPointer, into voxels: UnsafeMutableRawPointer,
    using context: CodecContext
  ) throws(Fault) {
    let index = try layout.index.decode(
      UnsafeRawBufferPointer(
        rebasing: encoded[try layout.index.indexRange(shardByteCount: encoded.count)]),
      shardByteCount: encoded.count)
    let content = layout.index.contentRange(shardByteCount: encoded.count)
    let target = VoxelBox(
      region: Region(wholeOf: shardShape), start: voxels, elementByteCount: fillValue.count)
    let grid = ChunkGrid(arrayShape: shardShape, cellShape: layout.innerChunkShape)
    try forEachPosition(in: Region(wholeOf: grid.gridShape)) { (position) throws(Fault) in
      let region = grid.region(at: position)
      if let range = try index.range(of: layout.cell(at: position), in: content) {
        let chunk = UnsafeRawBufferPointer(rebasing: encoded[range])
        try decodeCell(chunk, region, into: target, using: context)
      } else {
        target.fill(region, with: fillValue)
      }
    }
  }

  private func decodeCell(
    _ encoded: UnsafeRawBufferPointer, _ region: Region, into target: VoxelBox,
    using context: CodecContext
  ) throws(Fault) {
    let chunk = context.innerChunk.replace(byteCount: inner.decodedByteCount)
    guard let voxels = chunk.baseAddress else { return }
    try inner.decode(encoded, into: voxels, using: context.inner)
    target.copy(from: UnsafeRawPointer(voxels), region)
  }
}
