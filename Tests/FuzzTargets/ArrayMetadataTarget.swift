import OMCodecs
import OMGrid
import OMJSON
import OMStore
import OMZarr

extension FuzzTarget {
  /// The document of an array, v3 and v2: a part `zarr.json` or `.zarray`, then `.zattrs`.
  static let arrayMetadata = FuzzTarget(
    "array-metadata", refusals: [.json, .metadata, .limit, .unsupported]
  ) { bytes in
    var input = FuzzInput(bytes)
    let document = input.part()
    let attributes = input.isEmpty ? nil : input.part()
    let v2 = MemoryStore([".zarray": document])
    v2[".zattrs"] = attributes
    // One of the two refuses every document.
    for store in [v2, MemoryStore(["zarr.json": document])] {
      let array: ZarrArray
      do throws(Fault) {
        array = try ZarrArray.open(store, path: "")
      } catch {
        try promise(!error.subject.isEmpty, "a fault without a subject: \(error)")
        if store === v2 { continue }
        throw error
      }
      try checkArray(array, document: document)
    }
  }
}

private func checkArray(_ array: ZarrArray, document: [UInt8]) throws {
  let metadata = array.metadata
  let rank = metadata.shape.count
  try promise(
    metadata.document == JSON(parsing: document, subject: ""), "the kept document differs")
  try promise(
    metadata.storedChunkShape.count == rank && metadata.innerChunkShape.count == rank,
    "chunks of another rank")
  try promise(metadata.fillValue.count == metadata.dataType.byteCount, "the fill value's size")
  try promise(
    metadata.pipeline.decodedByteCount <= Limits.current.chunk, "too large a chunk")
  try promise(
    zip(metadata.storedChunkShape, metadata.innerChunkShape).allSatisfy { $0.isMultiple(of: $1) },
    "chunks that do not divide their shard")
  try checkCorners(array)
  try checkWriting(like: metadata)
}

/// Visits the first and the last voxel, whose chunks are not stored.
private func checkCorners(_ array: ZarrArray) throws {
  let metadata = array.metadata
  if metadata.shape.contains(0) { return }
  let one = metadata.shape.map { _ in 1 }
  for origin in [metadata.shape.map { _ in 0 }, metadata.shape.map { $0 - 1 }] {
    let voxel = Region(origin: origin, shape: one)
    let reader = ChunkReader(array, context: CodecContext())
    var visits = 0
    try reader.visit(voxel) { chunk in
      visits += 1
      try promise(chunk.region.contains(voxel), "chunk \(chunk.region) is not at \(voxel)")
      try promise(chunk.voxels == nil, "a chunk out of nothing")
    }
    try promise(visits == 1, "one voxel has \(visits) chunks")
    let memory = GuardedMemory(byteCount: metadata.dataType.byteCount)
    if let start = memory.bytes.baseAddress { try reader.read(voxel, into: start) }
    try promise(memory.bytes.elementsEqual(metadata.fillValue), "not the fill value")
    try promise(memory.isIntact, "a write beside the voxel")
  }
}

/// An array that is written like this one is read as this one.
private func checkWriting(like metadata: ArrayMetadata) throws {
  let layout = try ArrayLayout(
    zarrFormat: metadata.zarrFormat, shape: metadata.shape, dataType: metadata.dataType,
    chunkShape: metadata.innerChunkShape,
    shardShape: metadata.isSharded ? metadata.storedChunkShape : nil,
    compression: metadata.compression, dimensionNames: metadata.dimensionNames)
  let store = MemoryStore()
  for (name, document) in layout.documents(attributes: metadata.attributes) {
    store[name] = document.bytes(indent: 2)
  }
  let again: ArrayMetadata
  do {
    again = try ArrayMetadata.read(store, path: "")
  } catch {
    throw BrokenPromise(text: "an array written like this one is refused: \(error)")
  }
  try promise(
    again.shape == metadata.shape && again.dataType == metadata.dataType
      && again.innerChunkShape == metadata.innerChunkShape
      && again.storedChunkShape == metadata.storedChunkShape
      && again.attributes == metadata.attributes
      && again.dimensionNames == metadata.dimensionNames,
    "an array written like this one reads as another one")
}
