/// How blosc compresses; what decoding needs stands in each chunk.
package struct BloscOptions: Sendable, Equatable {
  /// How the bytes of elements are rearranged before compression.
  package enum Shuffle: String, Sendable, CaseIterable {
    case none = "noshuffle"
    case byte = "shuffle"
    case bit = "bitshuffle"

    /// Bits for elements of one byte, else bytes: numcodecs' -1.
    case automatic

    /// numcodecs' number for it.
    var code: Int {
      switch self {
      case .none: 0
      case .byte: 1
      case .bit: 2
      case .automatic: -1
      }
    }

    /// The rearrangement that is meant for elements of this size.
    func resolved(typeSize: Int) -> Shuffle {
      self == .automatic ? (typeSize == 1 ? .bit : .byte) : self
    }
  }

  /// The compressors that blosc's format knows; a library may lack some.
  package static let compressors = ["blosclz", "lz4", "lz4hc", "snappy", "zlib", "zstd"]

  /// One of `compressors`.
  package var compressor: String
  /// The effort, 0 to 9.
  package var level: Int
  /// The rearrangement.
  package var shuffle: Shuffle
  /// Bytes of a block; 0 leaves it to blosc.
  package var blockSize: Int

  /// Makes options.
  package init(compressor: String, level: Int, shuffle: Shuffle, blockSize: Int = 0) {
    self.compressor = compressor
    self.level = level
    self.shuffle = shuffle
    self.blockSize = blockSize
  }
}
