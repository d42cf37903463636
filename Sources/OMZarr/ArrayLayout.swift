package import OMCodecs
package import OMGrid
package import OMJSON

/// An array that is to be written; its fill value is 0.
package struct ArrayLayout: Sendable, Equatable {
  /// 2 or 3.
  package let zarrFormat: Int
  /// The shape of the array.
  package let shape: [Int]
  /// The type of its voxels.
  package let dataType: DataType
  /// The shape of what is encoded on its own.
  package let chunkShape: [Int]
  /// The shape of a shard, a multiple of the chunk; nil stores each chunk under its own key.
  package let shardShape: [Int]?
  /// How chunks are compressed.
  package let compression: Compression
  /// The names of the axes; written in v3 only.
  package let dimensionNames: [String?]?
  /// What stands between the indices of a chunk key in v2; in v3 it is `/`.
  package let keySeparator: String

  /// Makes a layout.
  ///
  /// - Throws: `internal` when shapes do not fit together or v2 is to have shards.
  package init(
    zarrFormat: Int, shape: [Int], dataType: DataType, chunkShape: [Int], shardShape: [Int]? = nil,
    compression: Compression, dimensionNames: [String?]? = nil, keySeparator: String = "/"
  ) throws(Fault) {
    self.zarrFormat = zarrFormat
    self.shape = shape
    self.dataType = dataType
    self.chunkShape = chunkShape
    self.shardShape = shardShape
    self.compression = compression.available(inFormat: zarrFormat)
    self.dimensionNames = dimensionNames
    self.keySeparator = keySeparator
    if let problem { throw Fault(.internal, "", "a layout cannot be written: \(problem)") }
  }

  /// What does not fit together.
  private var problem: String? {
    if zarrFormat != 2 && zarrFormat != 3 { return "Zarr format \(zarrFormat)" }
    let shapes = [chunkShape, shardShape ?? chunkShape]
    if shapes.contains(where: { $0.count != shape.count || $0.contains { $0 < 1 } }) {
      return "array \(shape), chunks and shards \(shapes)"
    }
    if let dimensionNames, dimensionNames.count != shape.count { return "names \(dimensionNames)" }
    guard let shardShape else { return nil }
    if zarrFormat == 2 { return "shards in Zarr format 2" }
    let divides = zip(shardShape, chunkShape).allSatisfy { $0.isMultiple(of: $1) }
    return divides ? nil : "chunks \(chunkShape) do not divide shards \(shardShape)"
  }

  /// The shape of what one rank must write whole: the shard, or the chunk.
  package var writeUnitShape: [Int] { shardShape ?? chunkShape }

  /// The grid of write units.
  package var unitGrid: ChunkGrid { ChunkGrid(arrayShape: shape, cellShape: writeUnitShape) }

  /// The key of a write unit, below the array.
  package func unitKey(_ position: [Int]) -> String { keyEncoding.key(position) }

  private var keyEncoding: KeyEncoding {
    zarrFormat == 2 ? .v2(separator: keySeparator) : .v3()
  }
}

// MARK: - Documents

extension ArrayLayout {
  /// The metadata documents of the array with their names, in the order in which to write them.
  package func documents(attributes: JSONObject) -> [(name: String, document: JSON)] {
    if zarrFormat == 3 { return [("zarr.json", v3Document(attributes))] }
    return [(".zattrs", .object(attributes)), (".zarray", v2Document)]
  }

  private func v3Document(_ attributes: JSONObject) -> JSON {
    var document: JSONObject = [
      "zarr_format": 3, "node_type": "array", "shape": sizes(shape),
      "data_type": .string(dataType.rawValue),
      "chunk_grid": ["name": "regular", "configuration": ["chunk_shape": sizes(writeUnitShape)]],
      "chunk_key_encoding": ["name": "default", "configuration": ["separator": "/"]],
      "fill_value": zero, "codecs": codecs, "attributes": .object(attributes),
    ]
    if let dimensionNames {
      document["dimension_names"] = .array(dimensionNames.map { $0.map(JSON.string) ?? .null })
    }
    return .object(document)
  }

  private var v2Document: JSON {
    [
      "zarr_format": 2, "shape": sizes(shape), "chunks": sizes(chunkShape),
      "dtype": .string(V2DataType.name(dataType)), "compressor": compression.v2Compressor(),
      "fill_value": zero, "order": "C", "filters": .null,
      "dimension_separator": .string(keySeparator),
    ]
  }

  private var codecs: JSON {
    let inner = compression.v3Codecs(dataType)
    if shardShape == nil { return inner }
    let sharding: JSON = [
      "chunk_shape": sizes(chunkShape), "codecs": inner,
      "index_codecs": ShardIndexCodec.writtenCodecs, "index_location": "end",
    ]
    return [["name": "sharding_indexed", "configuration": sharding]]
  }

  private var zero: JSON {
    dataType == .bool ? false : dataType.isFloat ? 0.0 : 0
  }

  private func sizes(_ sizes: [Int]) -> JSON { .array(sizes.map { JSON($0) }) }
}
