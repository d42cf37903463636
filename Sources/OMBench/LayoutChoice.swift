package import OMCodecs
package import OMJSON
package import OMZarr

/// One way to store the volume of a benchmark.
package struct LayoutChoice: Sendable, Equatable {
  /// Voxels of a chunk along z, y and x.
  package var chunk: [Int]
  /// Whether chunks are put into shards.
  package var isSharded: Bool
  /// The codec.
  package var codec: BenchCodec

  /// Makes a choice.
  package init(chunk: [Int], isSharded: Bool, codec: BenchCodec) {
    self.chunk = chunk
    self.isSharded = isSharded
    self.codec = codec
  }

  /// About how many voxels a shard has at most; of a small volume there are eight shards.
  private static let shardVoxels = 1 << 24

  /// The chunk in a volume: no larger than that.
  package func chunk(in shape: [Int]) -> [Int] { zip(chunk, shape).map { min($0, $1) } }

  /// The voxels of a shard, nil without shards: chunks are doubled along their shortest side.
  package func shard(in shape: [Int]) -> [Int]? {
    if !isSharded { return nil }
    let chunk = chunk(in: shape)
    var shard = chunk
    let most = min(Self.shardVoxels, shape.reduce(1, *) / 8)
    while shard.reduce(2, *) <= most {
      let open = shard.indices.filter { shard[$0] < shape[$0] }
      guard let axis = open.min(by: { shard[$0] < shard[$1] }) else { break }
      shard[axis] *= 2
    }
    return shard
  }

  /// The layout of a volume.
  package func layout(of volume: BenchVolume) throws(Fault) -> ArrayLayout {
    try ArrayLayout(
      zarrFormat: 3, shape: volume.shape, dataType: volume.dataType,
      chunkShape: chunk(in: volume.shape), shardShape: shard(in: volume.shape),
      compression: codec.compression, dimensionNames: ["z", "y", "x"])
  }

  /// Every chunk shape with and without shards, and every codec, each with the first of the others.
  ///
  /// - Parameters:
  ///   - chunks: Chunk shapes.
  ///   - shards: Whether with shards, without, or both.
  ///   - codecs: Codecs.
  ///   - all: Whether all combinations are wanted.
  /// - Returns: The choices, each once.
  package static func choices(
    chunks: [[Int]], shards: [Bool], codecs: [BenchCodec], all: Bool
  ) -> [LayoutChoice] {
    var choices: [LayoutChoice] = []
    for (place, codec) in codecs.enumerated() {
      for (number, chunk) in chunks.enumerated() where all || place == 0 || number == 0 {
        for (count, sharded) in shards.enumerated() where all || place == 0 || count == 0 {
          let choice = LayoutChoice(chunk: chunk, isSharded: sharded, codec: codec)
          if !choices.contains(choice) { choices.append(choice) }
        }
      }
    }
    return choices
  }
}

/// A codec of a benchmark, with the level that is usual for it.
package enum BenchCodec: String, Sendable, CaseIterable {
  case bloscZstd = "blosc-zstd"
  case bloscLZ4 = "blosc-lz4"
  case zstd
  case gzip
  case none

  /// How chunks are compressed.
  package var compression: Compression {
    switch self {
    case .bloscZstd: .blosc(BloscOptions(compressor: "zstd", level: 1, shuffle: .automatic))
    case .bloscLZ4: .blosc(BloscOptions(compressor: "lz4", level: 5, shuffle: .automatic))
    case .zstd: .zstd(level: 3)
    case .gzip: .gzip(level: 6)
    case .none: .none
    }
  }
}
