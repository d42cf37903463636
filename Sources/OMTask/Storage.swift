/// How a new image is to be stored; what is nil is chosen by the engine.
public struct Storage: Sendable, Equatable {
  /// A version of OME-Zarr, with the Zarr format that belongs to it.
  public enum Version: String, Sendable, CaseIterable {
    /// Zarr v2.
    case v0_4 = "0.4"
    /// Zarr v3.
    case v0_5 = "0.5"
    /// Zarr v3, with coordinate systems.
    case v0_6 = "0.6"
  }

  /// How chunks are compressed.
  public enum Codec: String, Sendable, CaseIterable {
    case none, zstd, gzip
    case bloscZstd = "blosc-zstd"
    case bloscLZ4 = "blosc-lz4"
    case bloscLZ4HC = "blosc-lz4hc"
    case bloscZlib = "blosc-zlib"
  }

  /// Shards of Zarr v3.
  public enum Sharding: Sendable, Equatable {
    /// As large as is good for a file, where the version has shards.
    case auto
    /// Every chunk is a file.
    case off
    /// Of this shape, in axes of the image.
    case shape([Int])
  }

  /// The version; nil takes that of the image.
  public var version: Version?
  /// The shape of a chunk, in axes of the image; nil takes that of the image.
  public var chunk: [Int]?
  /// Whether there are shards, and how large they are.
  public var sharding: Sharding
  /// The compression; nil takes what is good for the type.
  public var codec: Codec?
  /// How hard to compress; nil takes what is usual for the codec.
  public var level: Int?

  /// Makes a choice.
  public init(
    version: Version? = nil, chunk: [Int]? = nil, sharding: Sharding = .auto,
    codec: Codec? = nil, level: Int? = nil
  ) {
    self.version = version
    self.chunk = chunk
    self.sharding = sharding
    self.codec = codec
    self.level = level
  }
}
