import OMImage

/// How an image of planes is stored whose rows lie side by side in files: shards take whole rows, so that
/// no strip is decoded twice where that can be avoided.
struct RowStorage: Sendable {
  /// Shards hold about as many voxels at most.
  let voxels: Int

  /// Layers of a chunk at most, and voxels of a chunk about.
  private static let most = (layers: 16, voxels: 1 << 20)

  /// The chunk of an image.
  ///
  /// Chunks are as thick as whole planes fit into a shard, because a plane may be one strip.
  ///
  /// - Parameters:
  ///   - shape: The shape of the image.
  ///   - axes: Its axes, those of space last.
  /// - Returns: The chunk.
  func chunk(_ shape: [Int], _ axes: [Axis]) -> [Int] {
    var chunk = [Int](repeating: 1, count: shape.count)
    let (y, x) = (shape.count - 2, shape.count - 1)
    if let z = axes.firstIndex(where: { $0.letter == "z" }) {
      let planes = voxels / max(1, shape[y] * shape[x])
      chunk[z] = max(1, min(Self.most.layers, planes, shape[z]))
    }
    // 1024, 512 or 256, by the number of layers.
    var edge = 1024
    while edge > 256 && edge * edge * chunk.reduce(1, *) > Self.most.voxels { edge /= 2 }
    chunk[y] = min(edge, shape[y])
    chunk[x] = min(edge, shape[x])
    return chunk
  }

  /// The shard: as many chunks of whole rows as fit, then as many rows.
  ///
  /// - Parameters:
  ///   - chunk: The chunk.
  ///   - shape: The shape of the image.
  ///   - source: What is read at once, along the same axes.
  /// - Returns: The shard.
  func shard(_ chunk: [Int], _ shape: [Int], like source: [Int]) -> [Int] {
    var shard = chunk
    let space = shape.count - 2
    // Colours that lie side by side are read at once.
    for axis in 0..<space where source[axis] > 1 {
      shard[axis] = (min(source[axis], shape[axis]) + chunk[axis] - 1) / chunk[axis] * chunk[axis]
    }
    for axis in [shape.count - 1, space] {
      // What hangs over the edge holds no voxels.
      let rest = shard.indices.reduce(1) { product, other in
        other == axis ? product : product * max(1, min(shard[other], shape[other]))
      }
      let all = (shape[axis] - 1) / chunk[axis] + 1
      let fits = rest * shape[axis] <= voxels
      shard[axis] = chunk[axis] * (fits ? all : max(1, voxels / max(1, rest * chunk[axis])))
    }
    return shard
  }
}
