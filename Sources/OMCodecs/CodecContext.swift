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

  /// Makes the context of one worker; libraries are asked only when they are needed.
  package init() {}

  /// Memory for the bytes between two codecs; it stays valid while one further piece is asked for.
  func scratch(byteCount: Int) -> UnsafeMutableRawBufferPointer {
    usesFirst.toggle()
    return (usesFirst ? buffers.0 : buffers.1).replace(byteCount: byteCount)
  }
}
