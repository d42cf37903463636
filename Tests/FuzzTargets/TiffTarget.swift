import OMCodecs
import OMGrid
import OMImage
import OMJSON
import OMStore
import OMTiff
import OMZarr

extension FuzzTarget {
  /// A TIFF file: what its pages and its OME-XML say, and its first chunks.
  static let tiff = FuzzTarget(
    "tiff",
    refusals: [
      .metadata, .unsupported, .limit, .codec, .truncated, .missing, .path, .io, .locked,
    ]
  ) { bytes in
    let files = MemoryStore(["a.tif": Array(bytes)])
    let store = try TiffStore(TiffSet(files, key: "a.tif"))
    let path = try store.isFolder("0/0") ? "0/0" : "0"
    let array = try ZarrArray.open(store, path: path)
    let grid = array.storedGrid
    // Larger ones only take longer.
    if array.metadata.pipeline.decodedByteCount > 1 << 24 { return }
    for number in [0, grid.count - 1] {
      let key = array.storedKey(grid.position(of: number))
      guard let value = try store.open(key) else {
        throw BrokenPromise(text: "no chunk \(key)")
      }
      let chunk = try value.bytes(at: 0, count: value.size)
      try promise(
        chunk.count == array.metadata.pipeline.decodedByteCount, "a chunk of another size")
    }
  }
}
