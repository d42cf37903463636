package import OMGrid
package import OMJSON
package import OMStore

/// An array in a store, open for reading.
package final class ZarrArray: Sendable {
  /// Where the array is.
  package let store: any Store
  /// Its key in the store; empty for the root.
  package let path: String
  /// What its document says.
  package let metadata: ArrayMetadata
  /// The grid of what single keys hold: shards, or chunks when the array is not sharded.
  package let storedGrid: ChunkGrid

  /// Opens the array at a path.
  ///
  /// - Throws: `missing` when there is none, and all that `ArrayMetadata.read` throws.
  package static func open(_ store: any Store, path: String) throws(Fault) -> ZarrArray {
    ZarrArray(store, path: path, try ArrayMetadata.read(store, path: path))
  }

  private init(_ store: any Store, path: String, _ metadata: ArrayMetadata) {
    self.store = store
    self.path = path
    self.metadata = metadata
    storedGrid = ChunkGrid(arrayShape: metadata.shape, cellShape: metadata.storedChunkShape)
  }

  /// The grid of the smallest parts that can be read: the inner chunks when the array is sharded.
  package var readableGrid: ChunkGrid {
    ChunkGrid(arrayShape: metadata.shape, cellShape: metadata.innerChunkShape)
  }

  /// What tells the document that describes the array from another one in its place.
  ///
  /// - Returns: The stamp; nil when the array is gone.
  /// - Throws: What the store throws.
  package func documentStamp() throws(Fault) -> ValueStamp? {
    try store.stamp(ArrayMetadata.key(path, metadata.zarrFormat == 3 ? "zarr.json" : ".zarray"))
  }

  /// The key in the store of the stored chunk (shard or chunk) at a grid position.
  package func storedKey(_ position: [Int]) -> String {
    ArrayMetadata.key(path, metadata.keyEncoding.key(position))
  }
}
