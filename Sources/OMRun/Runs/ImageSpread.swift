import OMGrid
import OMImage
import OMTask
import Synchronization

/// How the images of a run are spread over its workers: cut, so that all workers share the regions of
/// one image after the other, or whole, each image on one worker.
enum ImageSpread {
  /// Whether whole images are spread without a look at their regions, since there are many.
  static func hasMany(images: Int, workers: Int) -> Bool { images >= 2 * workers }

  /// Whether images are cut.
  ///
  /// The shorter way is taken, with regions as the measure of time; cut images where both are alike,
  /// since they leave no worker idle when some of them are done already.
  ///
  /// - Parameters:
  ///   - regions: The number of regions of each image, 0 for one that cannot be processed.
  ///   - workers: The workers of all ranks, or of all parts.
  /// - Returns: True for images that are cut.
  static func splits(regions: [Int], workers: Int) -> Bool {
    if hasMany(images: regions.count, workers: workers) { return false }
    let cut = regions.reduce(0) { $0 + ($1 + workers - 1) / workers }
    // Each image has a worker of its own.
    if regions.count <= workers { return cut <= regions.max() ?? 0 }
    var ends = Array(repeating: 0, count: workers)
    for count in regions {
      // Who is free first takes the next image.
      let next = ends.indices.min { ends[$0] < ends[$1] } ?? 0
      ends[next] += count
    }
    return cut <= ends.max() ?? 0
  }

  /// Whether the images of a run are cut, the same on every rank.
  ///
  /// Few images are opened for it, each on one worker. *Collective*.
  ///
  /// - Parameters:
  ///   - inputs: The images.
  ///   - request: What is done with them.
  ///   - workers: The workers of all ranks, or of all parts.
  ///   - engine: Who opens the images.
  /// - Returns: True for images that are cut.
  /// - Throws: What the communicator throws.
  static func splits(
    _ inputs: Inputs, _ request: RunRequest, workers: Int, _ engine: ThreadEngine
  ) throws -> Bool {
    let count = inputs.items.count
    if hasMany(images: count, workers: workers) { return false }
    if count <= 1 { return true }
    let own = Partition(costs: inputs.items.map { _ in 1 }, parts: engine.rankCount)
      .pieces(of: engine.rank)
    let found = Mutex<[Int: Int]>([:])
    try engine.agree {
      try engine.walk(own.count, name: { inputs.items[own[$0]].uri }) { number, _ in
        let count = Self.regions(of: inputs.items[own[number]], request)
        found.withLock { $0[own[number]] = count }
      }
    }
    var packet = Packet()
    for (index, regions) in found.withLock({ $0 }) {
      packet.write(index)
      packet.write(regions)
    }
    var regions = Array(repeating: 0, count: count)
    for bytes in try engine.communicator.gatherAll(packet.bytes) {
      var reader = PacketReader(bytes)
      while !reader.isAtEnd {
        let index = try reader.read(Int.self)
        let value = try reader.read(Int.self)
        if regions.indices.contains(index) { regions[index] = value }
      }
    }
    return splits(regions: regions, workers: workers)
  }

  /// Whether the images would be cut; for plans.
  ///
  /// *Local*.
  static func splits(_ inputs: Inputs, _ request: RunRequest, workers: Int) -> Bool {
    if hasMany(images: inputs.items.count, workers: workers) { return false }
    if inputs.items.count <= 1 { return true }
    return splits(regions: inputs.items.map { regions(of: $0, request) }, workers: workers)
  }

  /// The regions of one image; what is wrong with it is said when it is its turn.
  private static func regions(of item: Inputs.Item, _ request: RunRequest) -> Int {
    guard let location = item.location, let setup = try? ImageSetup(location, request) else {
      return 0
    }
    return setup.regionCount
  }
}

extension ImageSetup {
  /// The number of regions of all images to make.
  var regionCount: Int { plans.reduce(0) { $0 + $1.grid.cells.count } }
}
