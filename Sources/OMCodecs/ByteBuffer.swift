/// A growing piece of memory that is used again and again, so that its pages are touched only once.
///
/// One owner at a time: a buffer belongs to one worker thread.
package final class ByteBuffer {
  /// The number of bytes in use.
  package private(set) var count = 0
  private var memory: UnsafeMutableRawBufferPointer
  private static let alignment = 64

  /// Makes an empty buffer.
  package init() {
    memory = .allocate(byteCount: 0, alignment: Self.alignment)
  }

  deinit { memory.deallocate() }

  /// The bytes in use; valid until the buffer is changed.
  package var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: memory[..<count])
  }

  /// Forgets the content and keeps the memory.
  package func removeAll() { count = 0 }

  /// Forgets the content and returns exactly this many bytes to write to.
  ///
  /// The bytes are in use from now on, and hold anything.
  package func replace(byteCount: Int) -> UnsafeMutableRawBufferPointer {
    count = 0
    reserve(byteCount)
    count = byteCount
    return UnsafeMutableRawBufferPointer(rebasing: memory[..<byteCount])
  }

  /// Room behind the content for this many bytes; `use` says how many were written.
  package func room(for byteCount: Int) -> UnsafeMutableRawBufferPointer {
    reserve(count + byteCount)
    return UnsafeMutableRawBufferPointer(rebasing: memory[count..<count + byteCount])
  }

  /// Takes bytes that were written to the room into use.
  package func use(_ byteCount: Int) {
    precondition(count + byteCount <= memory.count, "more bytes used than there is room for")
    count += byteCount
  }

  /// Copies bytes behind the content.
  package func append(_ bytes: UnsafeRawBufferPointer) {
    room(for: bytes.count).copyMemory(from: bytes)
    use(bytes.count)
  }

  private func reserve(_ byteCount: Int) {
    if byteCount <= memory.count { return }
    let larger = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(byteCount, memory.count * 2), alignment: Self.alignment)
    larger.copyMemory(from: bytes)
    memory.deallocate()
    memory = larger
  }
}
