/// What one worker thread needs to code chunks: library contexts and buffers that are made once.
///
/// Not `Sendable`: each worker makes its own.
package final class CodecContext {
  let zstd = ZstdContexts()
  let zlib = ZlibStreams()
  /// The inner chunk in hand while a shard is decoded whole.
  let innerChunk = ByteBuffer()
  /// The context for the chunks of that shard, whose bytes may lie in the buffers of this one.
  private(set) lazy var inner = CodecContext()
  private let buffers = (ByteBuffer(), ByteBuffer())
  private var usesFirst = false
  private var idle: [ByteBuffer] = []

  /// Makes the context of one worker; libraries are asked only when they are needed.
  package init() {}

  /// Memory for the bytes between two codecs; it stays valid while one further piece is asked for.
  func scratch(byteCount: Int) -> UnsafeMutableRawBufferPointer {
    usesFirst.toggle()
    return (usesFirst ? buffers.0 : buffers.1).replace(byteCount: byteCount)
  }

  /// A buffer for somebody who works with this context for a while and then gives it back, such as
  /// the reader of one image; the next one finds its pages touched already.
  package func borrowBuffer() -> ByteBuffer { idle.popLast() ?? ByteBuffer() }

  /// Takes back a buffer that was borrowed.
  package func giveBack(_ buffer: ByteBuffer) { idle.append(buffer) }
}
