package import OMCodecs
import OMObjects
import OMTask
import OMZarr

/// What one thread of work owns: codec contexts, readers and buffers, kept from region to region.
///
/// A worker is used by one thread at a time.
package final class Worker {
  /// The number of the worker within its process.
  package let number: Int
  /// Codec state, reused for every chunk.
  package let codecs = CodecContext()
  /// The mask of the region in hand.
  let mask = BitRows()
  /// Labels the mask of the region in hand.
  let labeller = BlockLabeller()
  /// Mask bytes of one plane of a chunk.
  let maskBytes = ByteBuffer()
  /// The encoded form of the chunk in hand.
  let encoded = ByteBuffer()
  /// The output chunk in hand.
  let chunk = ByteBuffer()
  /// Raw voxels of a region that is kept between two looks at it.
  let voxels = ByteBuffer()
  /// The voxels of a derived image in the region in hand, and in one of its volumes.
  let made = ByteBuffer()
  let part = ByteBuffer()
  /// The smoothed voxels of the region in hand.
  let smoothed = SmoothedRegion()
  /// Which voxels of the region in hand count, and those of a few lines that do.
  let admitted = AdmittedVoxels()
  let gathered = ByteBuffer()
  /// Memory for kernels.
  let scratch = TileScratch()
  private var readers: [ObjectIdentifier: ChunkReader] = [:]
  private var piecesInUse = 0
  private var pieces: [ByteBuffer] = []

  /// Makes a worker.
  package init(number: Int) { self.number = number }

  /// The reader of this worker for an array of the input; readers keep the index of the shard in
  /// hand and count what is read.
  ///
  /// - Parameters:
  ///   - array: The array; it belongs to one opened image.
  ///   - damage: Takes the damaged chunks of that image; nil makes them faults.
  /// - Returns: The same reader until `closeReaders`.
  func reader(of array: ZarrArray, damage: DamageLog?) -> ChunkReader {
    if let reader = readers[ObjectIdentifier(array)] { return reader }
    let reader = ChunkReader(array, context: codecs, damage: damage)
    readers[ObjectIdentifier(array)] = reader
    return reader
  }

  /// Forgets the readers, and returns what they read since they were made.
  func closeReaders() -> ReadTotals {
    defer { readers.removeAll() }
    return readers.values.reduce(into: ReadTotals()) { $0.add($1) }
  }

  /// Calls `body` with a buffer of its own, for work that calls itself level by level.
  func withPiece<Result>(_ body: (ByteBuffer) throws -> Result) rethrows -> Result {
    if piecesInUse == pieces.count { pieces.append(ByteBuffer()) }
    let piece = pieces[piecesInUse]
    piecesInUse += 1
    defer { piecesInUse -= 1 }
    return try body(piece)
  }
}

/// What was read from stores.
package struct ReadTotals: Sendable {
  /// Stored bytes.
  package var bytes = 0
  /// Chunks that are not stored and count as fill value.
  package var absentChunks = 0

  mutating func add(_ reader: ChunkReader) {
    bytes += reader.bytesRead
    absentChunks += reader.chunksAbsent
  }

  mutating func add(_ other: ReadTotals) {
    bytes += other.bytes
    absentChunks += other.absentChunks
  }
}
