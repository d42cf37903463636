import OMCodecs
package import OMGrid
package import OMJSON

extension SampleImage {
  /// A box of it, with the same box of its label images.
  package func cropped(_ box: Region) throws(Fault) -> SampleImage {
    if box == Region(wholeOf: shape) { return self }
    var crop = try with(part(box), dataType, shape: box.shape)
    crop.origin = zip(origin, box.origin).map { $0 + $1 }
    var labels: [(name: String, voxels: SampleImage)] = []
    for (name, voxels) in self.labels {
      let kept = axes.indices.filter { voxels.axes.contains(axes[$0]) }
      let part = Region(origin: kept.map { box.origin[$0] }, shape: kept.map { box.shape[$0] })
      labels.append((name, try voxels.cropped(part)))
    }
    return crop.with(labels: labels)
  }

  private func part(_ box: Region) -> [UInt8] {
    let count = box.shape.reduce(dataType.byteCount, *)
    return [UInt8](unsafeUninitializedCapacity: count) { target, used in
      used = count
      guard let start = target.baseAddress else { return }
      bytes.withUnsafeBytes { source in
        guard let voxels = source.baseAddress else { return }
        VoxelBox(
          region: box, start: UnsafeMutableRawPointer(start), elementByteCount: dataType.byteCount
        ).copy(from: voxels, Region(wholeOf: shape))
      }
    }
  }

  /// The next coarser level: every second voxel in space.
  func halved() throws(Fault) -> SampleImage {
    let steps = axes.indices.map { ["z", "y", "x"].contains(axes[$0]) && shape[$0] > 1 ? 2 : 1 }
    let sizes = zip(shape, steps).map { ($0 + $1 - 1) / $1 }
    let strides = rowMajorStrides(shape)
    let size = dataType.byteCount
    var coarse: [UInt8] = []
    coarse.reserveCapacity(sizes.reduce(size, *))
    forEachPosition(in: Region(wholeOf: sizes)) { position in
      let place = position.indices.reduce(0) { $0 + position[$1] * steps[$1] * strides[$1] }
      coarse += bytes[place * size..<(place + 1) * size]
    }
    var image = try with(coarse, dataType, shape: sizes)
    image.scale = zip(scale, steps).map { $0 * Double($1) }
    return image
  }

  /// All levels, finest first.
  func pyramid() throws(Fault) -> [SampleImage] {
    var images = [self]
    while images.count < max(1, levels), let last = images.last {
      images.append(try last.halved())
    }
    return images
  }
}
