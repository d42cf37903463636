package import OMJSON

/// How the inner chunks of a shard are numbered, and how its index is stored.
package struct ShardLayout: Sendable {
  /// The shape of an inner chunk in array axes.
  package let innerChunkShape: [Int]
  /// The codecs of an inner chunk, with the transposes of the whole shard in front.
  package let innerChain: CodecChain
  /// How the index is stored.
  package let index: ShardIndexCodec
  /// The step of the cell number along each array axis.
  private let cellStrides: [Int]

  /// Reads the configuration of `sharding_indexed`.
  ///
  /// A transpose before sharding turns the shard, so `chunk_shape` and the numbers of cells follow
  /// the turned axes; here everything is brought back to array axes.
  ///
  /// - Parameters:
  ///   - chain: The codecs of the array.
  ///   - shardShape: The shape of a shard in array axes.
  /// - Throws: `metadata`, `limit` or `unsupported`.
  package init(_ chain: CodecChain, shardShape: [Int]) throws(Fault) {
    let sharding = chain.serializer
    let rules = ShapeRules(subject: chain.subject)
    let order = try chain.axisOrder(rank: shardShape.count)
    let storedShape = try rules.sizes(
      sharding.configuration["chunk_shape"], "\(sharding.place).configuration.chunk_shape",
      atLeast: 1, rank: shardShape.count)
    var innerShape = storedShape
    var strides = storedShape
    var gridShape = storedShape
    var cellCount = 1
    for (storedAxis, axis) in order.enumerated().reversed() {
      let edge = storedShape[storedAxis]
      guard shardShape[axis].isMultiple(of: edge) else {
        throw Fault(
          .metadata, chain.subject,
          "inner chunks of \(storedShape) do not divide the shard of \(order.map { shardShape[$0] })"
        )
      }
      innerShape[axis] = edge
      strides[axis] = cellCount
      gridShape[storedAxis] = shardShape[axis] / edge
      cellCount *= gridShape[storedAxis]
    }
    try rules.index(cellCount, elementByteCount: 16, "the index of a shard of")
    innerChunkShape = innerShape
    cellStrides = strides
    index = try ShardIndexCodec(sharding, gridShape: gridShape)
    innerChain = try CodecChain(
      v3: sharding.configuration["codecs"] ?? .null,
      key: "\(sharding.place).configuration.codecs", subject: chain.subject
    ).behind(chain.transposes)
  }

  /// The number of the inner chunk at a position of the shard's grid, in array axes.
  package func cell(at position: [Int]) -> Int {
    var cell = 0
    for axis in position.indices { cell += position[axis] * cellStrides[axis] }
    return cell
  }
}
