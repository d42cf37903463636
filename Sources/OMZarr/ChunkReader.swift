package import OMCodecs
package import OMGrid
import OMJSON
import OMStore

/// One readable chunk: its place and its voxels.
package struct ChunkView {
  /// The full box of the chunk in array axes; it may hang over the edge of the array.
  package let region: Region
  /// The full chunk in C order, in the byte order of this machine, valid during the visit; nil when
  /// the chunk is not stored and all of it is the fill value.
  package let voxels: UnsafeRawPointer?

  /// The shape of the full chunk.
  package var shape: [Int] { region.shape }
}

/// Reads the chunks of an array; each worker thread has its own, with its own buffers.
package final class ChunkReader {
  /// The array that is read.
  package let array: ZarrArray
  /// The bytes read from the store so far, indexes of shards included.
  package private(set) var bytesRead = 0
  /// How many visited chunks were not stored and read as fill value.
  package internal(set) var chunksAbsent = 0

  private let context: CodecContext
  private let encoded: ByteBuffer
  private let decoded: ByteBuffer
  private let encodedLimit: Int
  /// The shard that was visited last.
  var shard: OpenShard?

  /// Makes a reader for the calling thread.
  package init(_ array: ZarrArray, context: CodecContext) {
    self.array = array
    self.context = context
    encoded = context.borrowBuffer()
    decoded = context.borrowBuffer()
    encodedLimit = array.metadata.pipeline.maximumEncodedByteCount
  }

  deinit {
    context.giveBack(decoded)
    context.giveBack(encoded)
  }

  /// Visits every readable chunk that touches a region, stored chunk by stored chunk.
  ///
  /// Within a shard, chunks that are not stored come first and the others as they lie in the shard.
  ///
  /// - Parameters:
  ///   - region: A box within the array.
  ///   - body: Called for each chunk; its voxels are valid until it returns, and it must not read
  ///     with this reader.
  /// - Throws: What `body` throws, what the store throws, and for damaged bytes `truncated`, `codec`,
  ///   `checksum` or `limit` with the key as subject.
  package func visit(_ region: Region, _ body: (ChunkView) throws -> Void) throws {
    try forEachPosition(in: array.storedGrid.cells(touching: region)) { position in
      if let layout = array.metadata.sharding {
        try visitShard(position, layout, region, body)
      } else {
        try visitChunk(position, body)
      }
    }
  }

  /// Reads a region into memory.
  ///
  /// - Parameters:
  ///   - region: A box within the array.
  ///   - target: Memory for all voxels of the region, which are put there in C order.
  /// - Throws: As `visit`.
  package func read(_ region: Region, into target: UnsafeMutableRawPointer) throws {
    let metadata = array.metadata
    let box = VoxelBox(
      region: region, start: target, elementByteCount: metadata.dataType.byteCount)
    try visit(region) { chunk in
      if let voxels = chunk.voxels {
        box.copy(from: voxels, chunk.region)
      } else {
        box.fill(chunk.region, with: metadata.fillValue)
      }
    }
  }
}

// MARK: - Arrays without shards

extension ChunkReader {
  private func visitChunk(_ position: [Int], _ body: (ChunkView) throws -> Void) throws {
    let shape = array.metadata.storedChunkShape
    let region = Region(origin: zip(position, shape).map { $0 * $1 }, shape: shape)
    let key = array.storedKey(position)
    guard let value = try array.store.open(key) else {
      chunksAbsent += 1
      return try body(ChunkView(region: region, voxels: nil))
    }
    try checkEncodedSize(value.size, key)
    let bytes = try readEncoded(0..<value.size, of: value)
    try body(ChunkView(region: region, voxels: decode(bytes, key)))
  }

  /// Reads some bytes of a value into the reader's buffer; they are valid until the next call.
  func readEncoded(
    _ range: Range<Int>, of value: OpenedValue
  ) throws(Fault) -> UnsafeRawBufferPointer {
    let buffer = encoded.replace(byteCount: range.count)
    try value.read(at: range.lowerBound, into: buffer)
    bytesRead += range.count
    return UnsafeRawBufferPointer(buffer)
  }

  /// Refuses a chunk that is larger than any codec can make it, before it is read.
  func checkEncodedSize(_ count: Int, _ key: String) throws(Fault) {
    if count <= encodedLimit { return }
    throw Fault(
      .limit, key,
      "the chunk has \(count) bytes; \(array.metadata.pipeline.decodedByteCount) decoded bytes"
        + " need at most \(encodedLimit)")
  }

  /// Decodes a chunk into the reader's buffer; the voxels are valid until the next call.
  func decode(
    _ bytes: UnsafeRawBufferPointer, _ key: String
  ) throws(Fault) -> UnsafeRawPointer? {
    let pipeline = array.metadata.pipeline
    let target = decoded.replace(byteCount: pipeline.decodedByteCount)
    guard let voxels = target.baseAddress else { return nil }
    do throws(Fault) {
      try pipeline.decode(bytes, into: voxels, using: context)
    } catch {
      throw error.below(key)
    }
    return UnsafeRawPointer(voxels)
  }
}
