import OMCodecs
import OMGrid
import OMJSON
import OMStore
import OMZarr

/// What `omtask info` tells about one array.
struct ArrayFacts {
  /// The key of the array below its image; empty for an array that was given by itself.
  let path: String
  let metadata: ArrayMetadata
  /// Bytes and number of the stored chunks or shards; nil when there are too many to ask for.
  let stored: (bytes: Int, count: Int)?
  /// How many chunks or shards there could be.
  let places: Int

  /// Looks at an array and at the size of all that is stored for it.
  ///
  /// - Throws: What the store throws.
  init(_ array: ZarrArray, path: String) throws(Fault) {
    self.path = path
    metadata = array.metadata
    places = array.storedGrid.count
    stored = places > array.store.stampLimit ? nil : try Self.measure(array)
  }

  private static func measure(_ array: ZarrArray) throws(Fault) -> (bytes: Int, count: Int) {
    var keys: [String] = []
    forEachPosition(in: Region(wholeOf: array.storedGrid.gridShape)) {
      keys.append(array.storedKey($0))
    }
    let stamps = try array.store.stamps(keys).compactMap { $0 }
    return (stamps.reduce(0) { $0 + $1.size }, stamps.count)
  }

  /// The facts in one line: shape, chunks, shards, codecs and what is stored.
  var line: String {
    var parts = ["chunks \(shapeText(shapes.chunk))"]
    if let shard = shapes.shard { parts.append("shards \(shapeText(shard))") }
    parts.append(codecText(metadata))
    let unit = shapes.shard == nil ? "chunk" : "shard"
    if let stored {
      parts.append(
        "\(byteText(stored.bytes)) in \(grouped(stored.count)) of \(counted(places, unit))")
    } else {
      parts.append("\(counted(places, unit)), sizes not asked for")
    }
    return parts.joined(separator: ", ")
  }

  /// The shapes of chunks and shards, also of shards that codecs behind them make one piece.
  private var shapes: (chunk: [Int], shard: [Int]?) {
    if metadata.isSharded { return (metadata.innerChunkShape, metadata.storedChunkShape) }
    if let inner = metadata.pipeline.shardedChunkShape {
      return (inner, metadata.storedChunkShape)
    }
    return (metadata.innerChunkShape, nil)
  }

  /// The facts as members of a JSON object.
  var members: JSONObject {
    var members: JSONObject = [
      "path": .string(path), "zarr_format": JSON(metadata.zarrFormat),
      "shape": sizes(metadata.shape), "data_type": .string(metadata.dataType.rawValue),
      "chunks": sizes(shapes.chunk),
    ]
    if let shard = shapes.shard { members["shards"] = sizes(shard) }
    members["codecs"] = .string(codecText(metadata))
    if let stored {
      members["stored_bytes"] = JSON(stored.bytes)
      members["stored_files"] = JSON(stored.count)
    }
    members["possible_files"] = JSON(places)
    return members
  }
}
