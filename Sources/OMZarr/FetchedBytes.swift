import OMCodecs
import Synchronization

/// Memory that one thread fills for another; it is used again when nobody holds it any more.
final class FetchedBytes: @unchecked Sendable {
  // Sendable by rule: the thread that fetches fills it, and nobody looks at it before that is done.

  /// The bytes, which hold anything at first.
  let room: UnsafeMutableRawBufferPointer
  private let memory: Pool.Memory
  private let pool: Pool

  /// The memory that a reader has for this, as much as was ever in use at once.
  final class Pool: Sendable {
    fileprivate struct Memory: @unchecked Sendable {
      // Sendable by rule: either it lies here, or one `FetchedBytes` holds it.
      let buffer: ByteBuffer
    }
    private let idle = Mutex<[Memory]>([])

    /// Takes memory for so many bytes.
    func take(_ byteCount: Int) -> FetchedBytes {
      FetchedBytes(
        idle.withLock { $0.popLast() } ?? Memory(buffer: ByteBuffer()), byteCount, self)
    }

    fileprivate func giveBack(_ memory: Memory) { idle.withLock { $0.append(memory) } }
  }

  private init(_ memory: Pool.Memory, _ byteCount: Int, _ pool: Pool) {
    room = memory.buffer.replace(byteCount: byteCount)
    self.memory = memory
    self.pool = pool
  }

  deinit { pool.giveBack(memory) }
}
