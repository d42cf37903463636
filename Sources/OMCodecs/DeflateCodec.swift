import CZlib
import OMJSON

/// Deflated bytes in gzip or zlib framing.
struct DeflateCodec: ByteEncoder {
  let framing: ZlibFraming
  let level: Int
  var name: String { framing.name }

  var compression: Compression? {
    framing == .gzip ? .gzip(level: level) : .zlib(level: level)
  }

  init(framing: ZlibFraming, level: Int) {
    self.framing = framing
    // -1 is zlib's word for 6, which other readers do not know.
    self.level = level < 0 ? 6 : level
  }

  /// Reads the configuration of the v3 codec `gzip`, which has no level -1.
  init(v3 settings: CodecSettings) throws(Fault) {
    try self.init(framing: .gzip, level: settings.integer("level", in: 0...9, default: 6))
  }

  /// Reads the configuration of numcodecs' gzip.
  init(gzip settings: CodecSettings) throws(Fault) {
    try self.init(framing: .gzip, level: settings.integer("level", in: -1...9, default: 6))
  }

  init(zlib settings: CodecSettings) throws(Fault) {
    try self.init(framing: .zlib, level: settings.integer("level", in: -1...9, default: 6))
  }

  func decode(
    _ encoded: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer,
    using context: CodecContext
  ) throws(Fault) -> UnsafeRawBufferPointer {
    let stream = try context.zlib.inflater(framing)
    stream.pointee.next_in = inputPointer(encoded)
    stream.pointee.avail_in = try streamCount(encoded.count)
    var written = 0
    while true {
      written += try inflateMember(stream, encoded, into: target, from: written)
      let rest = Int(stream.pointee.avail_in)
      if rest == 0 { return UnsafeRawBufferPointer(rebasing: target[..<written]) }
      let isMember = framing == .gzip && encoded[encoded.count - rest] == 0x1F
      guard isMember, inflateReset(stream) == Z_OK else { throw .trailing(name, rest) }
    }
  }

  /// Inflates up to the end of one member and returns the number of bytes written.
  private func inflateMember(
    _ stream: UnsafeMutablePointer<z_stream>, _ encoded: UnsafeRawBufferPointer,
    into target: UnsafeMutableRawBufferPointer, from start: Int
  ) throws(Fault) -> Int {
    let room = UnsafeMutableRawBufferPointer(rebasing: target[start...])
    stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_out = try streamCount(room.count)
    var status = inflate(stream, Z_FINISH)
    let written = room.count - Int(stream.pointee.avail_out)
    if status == Z_BUF_ERROR, stream.pointee.avail_out == 0 {
      // All the room is filled: only the trailer may follow, so one more byte is one too many.
      status = withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { extra in
        stream.pointee.next_out = extra.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = 1
        return inflate(stream, Z_FINISH)
      }
      if stream.pointee.avail_out == 0 {
        throw .tooLarge(name, target.count, found: countRest(stream, from: target.count + 1))
      }
    }
    guard status == Z_STREAM_END else { throw fault(status, stream, encoded) }
    return written
  }

  /// The bytes of a member that is too long, to tell another shape from a bomb; nothing of it is kept.
  ///
  /// - Parameters:
  ///   - stream: The stream within the member.
  ///   - start: The bytes so far, one more than fit.
  /// - Returns: All bytes up to the end or to the first damage; nil when they are far too many.
  private func countRest(_ stream: UnsafeMutablePointer<z_stream>, from start: Int) -> Int? {
    let most = Fault.mostTooLarge(start - 1)
    return withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 1) { room in
      var count = start
      while count <= most {
        stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(room.count)
        let status = inflate(stream, Z_NO_FLUSH)
        count += room.count - Int(stream.pointee.avail_out)
        if status != Z_OK { return count }
      }
      return nil
    }
  }

  func maximumEncodedByteCount(of byteCount: Int) -> Int {
    // Stored blocks of 5 bytes for each 16 KiB at worst, and the largest header and trailer.
    byteCount + (byteCount >> 12) + (byteCount >> 14) + (byteCount >> 25) + 64
  }

  func encode(
    _ bytes: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer,
    using context: CodecContext
  ) throws(Fault) -> Int {
    let stream = try context.zlib.deflater(framing, level: level)
    stream.pointee.next_in = inputPointer(bytes)
    stream.pointee.avail_in = try streamCount(bytes.count)
    stream.pointee.next_out = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_out = try streamCount(target.count)
    let status = deflate(stream, Z_FINISH)
    guard status == Z_STREAM_END else {
      throw Fault(.internal, "", "\(name) ended with status \(status)")
    }
    return target.count - Int(stream.pointee.avail_out)
  }

  /// Says what is wrong with encoded bytes after zlib refused them.
  private func fault(
    _ status: Int32, _ stream: UnsafeMutablePointer<z_stream>, _ encoded: UnsafeRawBufferPointer
  ) -> Fault {
    if status == Z_BUF_ERROR { return .cutOff(name, encoded.count) }
    if status == Z_MEM_ERROR { return .outOfMemory("a zlib stream") }
    let reason = stream.pointee.msg.map { String(cString: $0) } ?? "status \(status)"
    // zlib tells a wrong trailer from wrong data only by its text.
    let isTrailer = reason == "incorrect data check" || reason == "incorrect length check"
    return isTrailer
      ? Fault(.checksum, "", "the checksum of the \(name) data does not fit their content")
      : Fault(.codec, "", "the \(name) data are damaged: \(reason)")
  }

  private func inputPointer(_ bytes: UnsafeRawBufferPointer) -> UnsafeMutablePointer<UInt8>? {
    UnsafeMutablePointer(mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
  }

  /// A byte count as zlib takes it.
  private func streamCount(_ count: Int) throws(Fault) -> UInt32 {
    guard let result = UInt32(exactly: count) else {
      throw Fault(.limit, "", "\(count) bytes are more than \(name) takes at once (4 GiB)")
    }
    return result
  }
}
