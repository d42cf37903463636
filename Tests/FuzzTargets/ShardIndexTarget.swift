import OMCodecs
import OMJSON

extension FuzzTarget {
  /// A shard behind two bytes: how its index is stored, and how many chunks it has.
  static let shardIndex = FuzzTarget(
    "shard-index", refusals: [.codec, .checksum, .truncated]
  ) { bytes in
    var input = FuzzInput(bytes)
    let flags = input.byte()
    let codec = try indexCodec(flags, cellCount: Int(input.byte()) + 1)
    let shard = input.remaining
    let place = try codec.indexRange(shardByteCount: shard.count)
    let content = codec.contentRange(shardByteCount: shard.count)
    try promise(
      place.count + content.count == shard.count && !place.overlaps(content),
      "index \(place) and content \(content) of \(shard.count) bytes")
    let index = try codec.decode(
      UnsafeRawBufferPointer(rebasing: shard[place]), shardByteCount: shard.count)
    for cell in 0..<codec.cellCount {
      guard let range = try? index.range(of: cell, in: content) else { continue }
      try promise(
        !range.isEmpty && range.lowerBound >= content.lowerBound
          && range.upperBound <= content.upperBound, "chunk \(cell) at \(range)")
    }
    try checkWriting(index)
    for cell in 0..<codec.cellCount { _ = try index.range(of: cell, in: content) }
  }
}

/// The codec that two bits choose: place and byte order, with or without checksum.
private func indexCodec(_ flags: UInt8, cellCount: Int) throws -> ShardIndexCodec {
  let endian: JSON = flags & 2 == 0 ? "little" : "big"
  var codecs: [JSON] = [["name": "bytes", "configuration": ["endian": endian]]]
  if flags & 4 != 0 { codecs.append(["name": "crc32c"]) }
  let configuration: JSON = [
    "index_codecs": .array(codecs), "index_location": flags & 1 == 0 ? "end" : "start",
  ]
  let settings = try CodecSettings(
    v3: ["name": "sharding_indexed", "configuration": configuration], subject: "zarr.json",
    place: "codecs[0]")
  return try ShardIndexCodec(settings, gridShape: [cellCount])
}

/// An index that is written reads as itself.
private func checkWriting(_ index: ShardIndex) throws {
  let codec = ShardIndexCodec(cellCount: index.cellCount)
  let output = ByteBuffer()
  codec.encode(index, onto: output)
  try promise(output.count == codec.encodedByteCount, "an index of \(output.count) bytes")
  let again = try codec.decode(output.bytes, shardByteCount: output.count)
  try promise(again == index, "the written index reads as another one")
}
