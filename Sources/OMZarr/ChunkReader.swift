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
  package internal(set) var bytesRead = 0
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
  /// What is asked for before it is visited; nil where asking is no journey.
  let ahead: ReadAhead?

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
    ahead = array.store.isRemote ? ReadAhead(array, encodedLimit: encodedLimit) : nil
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
    ahead?.begin(ExpectedBox(region, where: isWanted))
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

  /// Says what is visited next, so that a server is asked for it in time.
  ///
  /// Without it each visit begins with a journey. All the same a box may be left out, or visited when it is
  /// not its turn.
  ///
  /// - Parameter boxes: Gives the boxes in the order of the visits to come; not called for local arrays.
  package func expect(_ boxes: () -> [ExpectedBox]) {
    if let ahead { ahead.expect(boxes()) }
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
    let part = ExpectedPart.whole(atMost: encodedLimit)
    guard let value = try openSound(position, region, key, expecting: part) else {
      return try body(ChunkView(region: region, voxels: nil))
    }
    try visitChunk(value, region, key, body)
  }

  /// Opens a stored chunk or shard; nil within the result when nothing is stored there.
  ///
  /// - Returns: nil when something else than a file lies in its place and the log takes that.
  func openSound(
    _ position: [Int], _ region: Region, _ key: String, expecting part: ExpectedPart,
    isShard: Bool = false
  ) throws(Fault) -> OpenedValue?? {
    do throws(Fault) {
      return .some(try open(position, key, expecting: part))
    } catch {
      // All other faults are of bytes that cannot be had: they may be good.
      guard error.kind == .codec else { throw error }
      let fault = error
      return try tolerating(region, key, isShard: isShard) {
        () throws(Fault) -> OpenedValue? in throw fault
      }
    }
  }

  /// Opens a stored chunk or shard, for which a server may have been asked before.
  private func open(
    _ position: [Int], _ key: String, expecting part: ExpectedPart
  ) throws(Fault) -> OpenedValue? {
    if let arrival = try ahead?.arrival(at: position) { return arrival.value }
    return try array.store.open(key, expecting: part)
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
    if let bytes = value.sent {
      bytesRead += bytes.count
      let voxels = try bytes.withUnsafeBytes { try decode($0, region, key) }
      return try body(ChunkView(region: region, voxels: voxels))
    }
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
    if let fixed = array.metadata.pipeline.fixedByteCount {
      throw Fault(.codec, key, "the chunk has \(count) bytes, expected \(fixed)")
    }
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
