import OMJSON

/// numcodecs' `lz4`: the decoded size in 4 bytes, little-endian, and one raw LZ4 block.
///
/// Arrays like this are written as blosc with lz4, so there is a decoder only.
struct LZ4Codec: ByteCodec {
  private static let prefixByteCount = 4
  var name: String { "lz4" }
  var compression: Compression? {
    .blosc(BloscOptions(compressor: "lz4", level: 5, shuffle: .byte))
  }

  init(_ settings: CodecSettings) throws(Fault) {}

  func decode(
    _ encoded: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer,
    using context: CodecContext
  ) throws(Fault) -> UnsafeRawBufferPointer {
    guard encoded.count > Self.prefixByteCount else { throw .cutOff(name, encoded.count) }
    let size = Int(UInt32(littleEndian: encoded.loadUnaligned(as: UInt32.self)))
    guard size <= target.count else {
      // The prefix alone says so; nothing was decoded yet.
      throw Fault(
        .codec, "", "\(name) data decode to more than the \(target.count) bytes of the chunk",
        facts: ["their prefix says \(size) bytes"])
    }
    let output = UnsafeMutableRawBufferPointer(rebasing: target[..<size])
    let block = UnsafeRawBufferPointer(rebasing: encoded.dropFirst(Self.prefixByteCount))
    var decoder = LZ4BlockDecoder(input: block, output: output)
    try decoder.run()
    return UnsafeRawBufferPointer(output)
  }
}

/// Decodes one raw LZ4 block into memory of exactly its decoded size.
private struct LZ4BlockDecoder {
  let input: UnsafeRawBufferPointer
  let output: UnsafeMutableRawBufferPointer
  private var read = 0
  private var written = 0
  private static let shortestMatch = 4

  init(input: UnsafeRawBufferPointer, output: UnsafeMutableRawBufferPointer) {
    self.input = input
    self.output = output
  }

  /// Sequences of literals and a match, until the block ends behind literals.
  mutating func run() throws(Fault) {
    while true {
      let token = Int(try nextByte())
      try copyLiterals(try length(token >> 4))
      if read == input.count { break }
      let distance = Int(try nextByte()) | Int(try nextByte()) << 8
      try copyMatch(distance, try length(token & 15) + Self.shortestMatch)
    }
    guard written == output.count else {
      throw Fault(
        .codec, "", "lz4 data decode to \(written) bytes, their prefix says \(output.count)")
    }
  }

  private var tooLong: Fault {
    Fault(
      .codec, "", "lz4 data decode to more than the \(output.count) bytes that their prefix says")
  }

  private mutating func nextByte() throws(Fault) -> UInt8 {
    guard read < input.count else { throw .cutOff("lz4", input.count) }
    defer { read += 1 }
    return input[read]
  }

  /// A length whose first 4 bits stand in the token; 15 means that more bytes follow.
  private mutating func length(_ start: Int) throws(Fault) -> Int {
    var length = start
    if start < 15 { return length }
    while true {
      let more = try nextByte()
      length += Int(more)
      if more < 255 { return length }
    }
  }

  private mutating func copyLiterals(_ count: Int) throws(Fault) {
    guard count <= input.count - read else { throw .cutOff("lz4", input.count) }
    guard count <= output.count - written else { throw tooLong }
    UnsafeMutableRawBufferPointer(rebasing: output[written...])
      .copyMemory(from: UnsafeRawBufferPointer(rebasing: input[read..<read + count]))
    read += count
    written += count
  }

  private mutating func copyMatch(_ distance: Int, _ count: Int) throws(Fault) {
    guard distance >= 1, distance <= written else {
      throw Fault(.codec, "", "lz4 data refer \(distance) bytes back, only \(written) are there")
    }
    guard count <= output.count - written else { throw tooLong }
    // Source and target may overlap: a distance of 1 repeats one byte.
    for _ in 0..<count {
      output[written] = output[written - distance]
      written += 1
    }
  }
}
