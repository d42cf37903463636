package import OMCodecs
package import OMGrid
import OMJSON
import OMStore

/// One readable chunk: its place and its voxels.
package struct ChunkView {
  /// The full box of the chunk in array axes; it may hang over the edge of the array.
  package let region: Region
  /// The full chunk in C order, in the byte order of this machine, valid during the visit; nil when
  /// all of it is the fill value: it is not stored, or it is damaged and the reader goes on.
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

  /// Takes damaged chunks; without it they are faults.
  private let damage: DamageLog?
  private let context: CodecContext
  private let encoded: ByteBuffer
  private let decoded: ByteBuffer
  /// The bytes that a stored chunk has at most.
  let encodedLimit: Int
  /// The shard that was visited last.
  var shard: OpenShard?

  /// Makes a reader for the calling thread.
  ///
  /// - Parameters:
  ///   - array: The array.
  ///   - context: The codec state of the thread.
  ///   - damage: Takes chunks that cannot be decoded, which then read as fill value; nil makes them
  ///     faults.
  package init(_ array: ZarrArray, context: CodecContext, damage: DamageLog? = nil) {
    self.array = array
    self.context = context
    self.damage = damage
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
  ///   - isWanted: Whether a chunk that touches the region is to be read; nil wants all.
  ///   - body: Called for each chunk; its voxels are valid until it returns, and it must not read
  ///     with this reader.
  /// - Throws: What `body` throws, what the store throws, and for damaged bytes, unless a log takes
  ///   them, `truncated`, `codec`, `checksum` or `limit` with the key as subject.
  package func visit(
    _ region: Region, where isWanted: ((Region) -> Bool)? = nil,
    _ body: (ChunkView) throws -> Void
  ) throws {
    if array.store.isRemote && !array.metadata.isSharded {
      return try visitAhead(region, where: isWanted, body)
    }
    try forEachPosition(in: array.storedGrid.cells(touching: region)) { position in
      let shape = array.metadata.storedChunkShape
      let stored = Region(origin: zip(position, shape).map { $0 * $1 }, shape: shape)
      if let isWanted, !isWanted(stored) { return }
      if let layout = array.metadata.sharding {
        try visitShard(position, layout, region, where: isWanted, body)
      } else {
        try visitChunk(position, stored, body)
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
  private func visitChunk(
    _ position: [Int], _ region: Region, _ body: (ChunkView) throws -> Void
  ) throws {
    let key = array.storedKey(position)
    let value = try array.store.open(key, expecting: .whole(atMost: encodedLimit))
    try visitChunk(value, region, key, body)
  }

  /// The bytes of chunks that are asked for at once where each is a journey, and how many they may be.
  private static let ahead = (byteCount: 8 << 20, count: 8)

  /// Visits chunks that a server holds: several are under way at once, whatever the number of workers.
  private func visitAhead(
    _ region: Region, where isWanted: ((Region) -> Bool)?, _ body: (ChunkView) throws -> Void
  ) throws {
    let shape = array.metadata.storedChunkShape
    let most = max(1, min(Self.ahead.count, Self.ahead.byteCount / max(1, encodedLimit)))
    var waiting: [(key: String, region: Region)] = []
    func visitWaiting() throws {
      let values = try array.store.open(
        waiting.map(\.key), expecting: .whole(atMost: encodedLimit))
      for (chunk, value) in zip(waiting, values) {
        try visitChunk(value, chunk.region, chunk.key, body)
      }
      waiting.removeAll(keepingCapacity: true)
    }
    try forEachPosition(in: array.storedGrid.cells(touching: region)) { position in
      let stored = Region(origin: zip(position, shape).map { $0 * $1 }, shape: shape)
      if let isWanted, !isWanted(stored) { return }
      waiting.append((array.storedKey(position), stored))
      if waiting.count == most { try visitWaiting() }
    }
    if !waiting.isEmpty { try visitWaiting() }
  }

  private func visitChunk(
    _ value: OpenedValue?, _ region: Region, _ key: String, _ body: (ChunkView) throws -> Void
  ) throws {
    guard let value else {
      chunksAbsent += 1
      return try body(ChunkView(region: region, voxels: nil))
    }
    let isSound = try tolerating(region, key) { () throws(Fault) in
      try checkEncodedSize(value.size, key)
      return true
    }
    guard isSound != nil else { return try body(ChunkView(region: region, voxels: nil)) }
    guard let bytes = try readWhole(value, region, key) else {
      return try body(ChunkView(region: region, voxels: nil))
    }
    try body(ChunkView(region: region, voxels: decode(bytes, region, key)))
  }

  /// All bytes of a stored chunk; nil when making them shows damage that the log takes.
  private func readWhole(
    _ value: OpenedValue, _ region: Region, _ key: String
  ) throws(Fault) -> UnsafeRawBufferPointer? {
    if !value.isMade { return try readEncoded(0..<value.size, of: value) }
    return try tolerating(region, key) { () throws(Fault) in
      try readEncoded(0..<value.size, of: value)
    }
  }

  /// Makes one step of reading a chunk; nil when it shows damage that the log takes.
  ///
  /// Reading bytes is no such step: a value that shrinks while it is read would be damaged for one
  /// pass and sound for another. Where reading decodes, as of a TIFF, it is one.
  ///
  /// - Parameters:
  ///   - region: The box of the chunk, or of a whole shard.
  ///   - key: The stored value.
  ///   - isShard: Whether the damage concerns a whole shard.
  ///   - step: What may find damage.
  /// - Returns: What the step returns.
  /// - Throws: What the step throws when it is no damage or there is no log, and `limit` when too
  ///   much is damaged.
  func tolerating<Value>(
    _ region: Region, _ key: String, isShard: Bool = false, _ step: () throws(Fault) -> Value
  ) throws(Fault) -> Value? {
    do throws(Fault) {
      return try step()
    } catch {
      guard let damage, DamageLog.takes(error) else { throw error }
      let shape = array.metadata.innerChunkShape
      let position = zip(region.origin, shape).map { $0 / $1 }
      let grid = ChunkGrid(arrayShape: array.metadata.shape, cellShape: shape)
      try damage.add(
        DamagedChunk(
          path: array.path, number: grid.number(at: position), key: key,
          position: isShard ? nil : position, message: error.message))
      return nil
    }
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
        + " need at most \(encodedLimit)", hint: Limits.hint(.encodedChunk))
  }

  /// Decodes a chunk into the reader's buffer; the voxels are valid until the next call, and nil
  /// when the log takes the chunk.
  func decode(
    _ bytes: UnsafeRawBufferPointer, _ region: Region, _ key: String
  ) throws(Fault) -> UnsafeRawPointer? {
    let pipeline = array.metadata.pipeline
    let target = decoded.replace(byteCount: pipeline.decodedByteCount)
    guard let voxels = target.baseAddress else { return nil }
    return try tolerating(region, key) { () throws(Fault) in
      do throws(Fault) {
        try pipeline.decode(bytes, into: voxels, using: context)
      } catch {
        throw error.below(key)
      }
      return UnsafeRawPointer(voxels)
    }
  }
}
