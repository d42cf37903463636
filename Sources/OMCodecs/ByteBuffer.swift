import CSys

/// A growing piece of memory that is used again and again, so that its pages are touched only once.
///
/// Large ones are pages of their own: they grow without a copy, so no more memory is in use than was
/// written to, and what is freed goes back to the kernel at once.
///
/// One owner at a time: a buffer belongs to one worker thread.
package final class ByteBuffer {
  /// The number of bytes in use.
  package private(set) var count = 0
  private var memory: UnsafeMutableRawBufferPointer
  private static let alignment = 64
  /// From so many bytes on a buffer has pages of its own.
  private static let ownPages = 1 << 20
  /// Sizes of pages of its own are multiples of this many bytes.
  private static let pageStep = 1 << 16

  /// Makes an empty buffer.
  package init() {
    memory = .allocate(byteCount: 0, alignment: Self.alignment)
  }

  deinit { ByteBuffer.free(memory) }

  private static func free(_ memory: UnsafeMutableRawBufferPointer) {
    if memory.count >= ownPages {
      om_free_pages(memory.baseAddress, memory.count)
    } else {
      memory.deallocate()
    }
  }

  /// Forgets the content; after a content of more bytes than these the memory is given back.
  ///
  /// - Parameter most: How much is worth keeping.
  package func removeAll(keepingAtMost most: Int) {
    let used = count
    count = 0
    if used <= most { return }
    ByteBuffer.free(memory)
    memory = .allocate(byteCount: 0, alignment: Self.alignment)
  }

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
    let wanted = max(byteCount, memory.count * 2)
    let larger: UnsafeMutableRawBufferPointer
    if wanted < Self.ownPages {
      larger = .allocate(byteCount: wanted, alignment: Self.alignment)
    } else {
      let hasPages = memory.count >= Self.ownPages
      let size = (wanted + Self.pageStep - 1) / Self.pageStep * Self.pageStep
      guard let start = om_grow_pages(hasPages ? memory.baseAddress : nil, memory.count, size)
      else { preconditionFailure("there is no memory for \(size) bytes") }
      larger = UnsafeMutableRawBufferPointer(start: start, count: size)
      if hasPages { return memory = larger }
    }
    larger.copyMemory(from: bytes)
    ByteBuffer.free(memory)
    memory = larger
  }
}
