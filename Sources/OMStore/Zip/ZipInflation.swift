import CZlib
import OMJSON

/// Inflates an entry piece by piece: never more than the directory says, whatever the stream holds.
struct ZipInflation {
  private let archive: OpenedValue
  private let start: Int
  private let entry: ZipEntry
  private let key: String
  private static let room = 256 << 10

  init(_ archive: OpenedValue, _ start: Int, _ entry: ZipEntry, _ key: String) {
    (self.archive, self.start, self.entry, self.key) = (archive, start, entry, key)
  }

  /// Hands the inflated bytes to a body.
  ///
  /// - Throws: What `body` throws; `codec` for what is not deflated, `truncated` where it ends before its
  ///   size, `zip` where it goes on behind it.
  func run(_ body: (UnsafeRawBufferPointer) throws(Fault) -> Void) throws(Fault) {
    // zlib keeps a pointer from its state back to the stream, so the stream must not move.
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    stream.initialize(to: z_stream())
    defer { stream.deallocate() }
    let size = Int32(MemoryLayout<z_stream>.size)
    guard inflateInit2_(stream, -15, ZLIB_VERSION, size) == Z_OK else {
      throw Fault(.limit, key, "there is no memory for a zlib stream")
    }
    defer { inflateEnd(stream) }
    let input = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.room, alignment: 64)
    defer { input.deallocate() }
    let output = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.room, alignment: 64)
    defer { output.deallocate() }
    var (taken, made) = (0, 0)
    var status = Z_OK
    while status != Z_STREAM_END {
      if stream.pointee.avail_in == 0 && taken < entry.stored {
        let piece = UnsafeMutableRawBufferPointer(
          rebasing: input[..<min(input.count, entry.stored - taken)])
        do { try archive.read(at: start + taken, into: piece) } catch {
          var fault = error
          fault.subject = key
          throw fault
        }
        taken += piece.count
        stream.pointee.next_in = piece.bindMemory(to: UInt8.self).baseAddress
        stream.pointee.avail_in = UInt32(piece.count)
      }
      stream.pointee.next_out = output.bindMemory(to: UInt8.self).baseAddress
      stream.pointee.avail_out = UInt32(output.count)
      status = inflate(stream, Z_NO_FLUSH)
      let count = output.count - Int(stream.pointee.avail_out)
      guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else {
        throw Fault(.codec, key, "is not deflated as the archive says", hint: again)
      }
      if count == 0 && status != Z_STREAM_END && taken == entry.stored {
        throw Fault(
          .truncated, key, "its \(entry.stored) deflated bytes end after \(made) of \(entry.size)",
          hint: again)
      }
      if count > entry.size - made {
        throw Fault(
          .zip, key, "inflates to more than the \(entry.size) bytes that the archive says",
          hint: "such archives are made to do harm; do not trust it")
      }
      made += count
      try body(UnsafeRawBufferPointer(rebasing: output[..<count]))
    }
    let rest = entry.stored - taken + Int(stream.pointee.avail_in)
    if made != entry.size || rest != 0 {
      throw Fault(
        .zip, key,
        "inflates to \(made) bytes with \(rest) left over, the archive says \(entry.size)",
        hint: again)
    }
  }

  private var again: String { "copy the archive again, it is damaged" }
}
