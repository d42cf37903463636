import OMCodecs
import OMGrid
import OMJSON
import OMRun
import OMStore
import OMZarr

extension FuzzTarget {
  /// A stored chunk or shard behind the document of its array.
  static let chunk = FuzzTarget(
    "chunk",
    refusals: [.json, .metadata, .limit, .unsupported, .codec, .checksum, .truncated]
  ) { bytes in
    var input = FuzzInput(bytes)
    let document = input.part()
    let store = MemoryStore()
    let isV2 = document.firstRange(of: Array(#""chunks""#.utf8)) != nil
    store[isV2 ? ".zarray" : "zarr.json"] = document
    let array = try ZarrArray.open(store, path: "")
    guard let region = readableRegion(array.metadata) else { return }
    store[array.storedKey(region.origin)] = Array(input.remaining)

    let memory = GuardedMemory(byteCount: region.count * array.metadata.dataType.byteCount)
    let filled = GuardedMemory(byteCount: memory.bytes.count)
    guard let start = memory.bytes.baseAddress, let other = filled.bytes.baseAddress else { return }
    let context = CodecContext()
    let damage = DamageLog()
    try ChunkReader(array, context: context, damage: damage).read(region, into: other)
    try promise(filled.isIntact, "a write beside the region")
    var refusal: (any Error)?
    do {
      try ChunkReader(array, context: context).read(region, into: start)
    } catch {
      refusal = error
    }
    try promise(memory.isIntact, "a write beside the region")
    try promise(
      (refusal == nil) == (damage.content.count == 0),
      "\(damage.content.count) damaged chunks, and without the log: \(refusal.map { "\($0)" } ?? "-")"
    )
    try checkVerifying(array, isDamaged: refusal != nil)
    if let refusal { throw refusal }
    try promise(memory.bytes.elementsEqual(filled.bytes), "two readings differ")
  }
}

/// `verify` finds what reading finds; it reads all of a shard and may find more.
private func checkVerifying(_ array: ZarrArray, isDamaged: Bool) throws {
  let verifier = Verifier(fuzzedVerifyOptions)
  verifier.verify(array)
  let isFound = verifier.report.problems.count > 0
  try promise(isFound || !isDamaged, "verify overlooks a damaged chunk")
  try promise(isDamaged || !isFound || array.metadata.isSharded, "verify finds what is not there")
}

/// Few threads and little memory, as many inputs are tried.
let fuzzedVerifyOptions: VerifyOptions = {
  var options = VerifyOptions()
  options.memory = 64 << 20
  return options
}()

/// The part of the first stored chunk that is read, small enough to be read often.
private func readableRegion(_ metadata: ArrayMetadata) -> Region? {
  let limit = 1 << 18
  let origin = metadata.shape.map { _ in 0 }
  for shape in [metadata.storedChunkShape, metadata.innerChunkShape] {
    let region = Region(origin: origin, shape: zip(shape, metadata.shape).map { min($0, $1) })
    let (_, isTooLarge) = region.shape.reduce((1, false)) { product, size in
      let (next, isOverflow) = product.0.multipliedReportingOverflow(by: size)
      return (isOverflow ? 1 : next, product.1 || isOverflow || next > limit)
    }
    let isDecodable = metadata.pipeline.decodedByteCount <= limit
    if isDecodable && !isTooLarge && !region.isEmpty { return region }
  }
  return nil
}
