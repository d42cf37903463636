package import OMCodecs
import OMGrid
package import OMImage
import OMJSON
package import OMRun
import OMZarr

/// How an image is stored and cut for one run.
package struct TrialLayout: Sendable {
  var version: OMEVersion
  package var chunk: [Int]
  /// How many chunks a shard has along each axis; nil for none.
  var shard: [Int]?
  var compression: Compression
  package var growth: RegionGrowth
  var threads: Int

  /// More chunks take long to write and show no more.
  private static let mostChunks = 150

  /// One way to store and cut an image.
  ///
  /// - Parameters:
  ///   - version: The version of OME-Zarr.
  ///   - chunk: The shape of a chunk.
  ///   - shard: How many chunks a shard has along each axis; nil for none.
  ///   - compression: How chunks are compressed.
  ///   - growth: How many write units make a region.
  package init(
    version: OMEVersion, chunk: [Int], shard: [Int]?, compression: Compression,
    growth: RegionGrowth
  ) {
    (self.version, self.chunk, self.shard) = (version, chunk, shard)
    (self.compression, self.growth, threads) = (compression, growth, 1)
  }

  /// One chunk and one region for an image of this shape.
  init(wholeOf shape: [Int]) {
    (version, chunk, shard, compression) = (.v0_5, shape, nil, .none)
    (growth, threads) = (.units(Vector3(1, 1, 1)), 1)
  }

  /// Any layout of an image.
  init(of sample: SampleImage, _ random: inout TrialRandom) {
    version = random.below(3) == 0 ? .v0_4 : .v0_5
    var chunk: [Int] = []
    for (axis, size) in zip(sample.axes, sample.shape) {
      let isSpace = ["z", "y", "x"].contains(axis)
      let pieces = isSpace ? random.within(1...7) : random.one(of: [1, 1, size])
      // Some chunks divide the image, most do not, and some are larger than it.
      let spare = isSpace ? random.within(-1...2) : 0
      chunk.append(max(1, (size + pieces - 1) / pieces + spare))
    }
    while zip(sample.shape, chunk).reduce(1, { $0 * (($1.0 + $1.1 - 1) / $1.1) })
      > TrialLayout.mostChunks
    {
      guard
        let axis = chunk.indices.max(by: {
          sample.shape[$0] / chunk[$0] < sample.shape[$1] / chunk[$1]
        })
      else { break }
      chunk[axis] = chunk[axis] * 2 + 1
    }
    self.chunk = chunk
    let isSharded = version == .v0_5 && random.below(2) == 0
    shard = isSharded ? chunk.map { _ in random.within(1...3) } : nil
    compression = random.one(of: [
      .none, .zstd(level: 1), .gzip(level: 1),
      .blosc(BloscOptions(compressor: "lz4", level: 1, shuffle: .byte)),
    ])
    growth =
      random.below(6) == 0
      ? .usual
      : .units(Vector3(random.within(1...3), random.within(1...3), random.within(1...3)))
    threads = random.within(1...4)
  }

  /// The same chunks and regions in one thread: what class H promises not to differ from.
  var inOneThread: TrialLayout {
    var layout = self
    (layout.threads, layout.compression) = (1, .none)
    return layout
  }

  /// How a level of the image is stored.
  func array(of level: SampleImage) throws(Fault) -> ArrayLayout {
    // Labels may lack the channel axis.
    let rank = level.shape.count
    var chunk = self.chunk
    var shard = self.shard
    if rank < chunk.count {
      let channel = chunk.count - (level.axes.contains("z") ? 4 : 3)
      chunk.remove(at: channel)
      shard?.remove(at: channel)
    }
    return try ArrayLayout(
      zarrFormat: version.zarrFormat, shape: level.shape, dataType: level.dataType,
      chunkShape: chunk, shardShape: shard.map { zip($0, chunk).map { $0 * $1 } },
      compression: compression, dimensionNames: level.axes)
  }

  /// How many regions an output of a shape has.
  func regionCount(of sample: SampleImage) -> Int {
    let unit = shard.map { zip($0, chunk).map { $0 * $1 } } ?? chunk
    return RegionGrid(
      shape: sample.shape, unit: unit, spatialAxes: sample.shape.count - sample.leadingAxes,
      growth: growth
    ).cells.count
  }

  /// The layout for people, of an image with these axes.
  func text(of sample: SampleImage) -> String {
    let list = { (sizes: [Int]) in sizes.map(String.init).joined(separator: " x ") }
    let shards = shard.map { " in shards of \(list(zip($0, chunk).map { $0 * $1 }))" } ?? ""
    let regions = regionCount(of: sample)
    return "\(regions) \(regions == 1 ? "region" : "regions"), chunks of \(list(chunk))\(shards), "
      + "OME-Zarr \(version.rawValue), \(threads) \(threads == 1 ? "thread" : "threads")"
  }
}
