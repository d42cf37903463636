package import OMGrid
package import OMJSON

/// What a run will do, and nothing else: regions, owners, bytes, files and memory.
package struct RunPlan: Sendable {
  /// The images in the order of the input.
  package var images: [ImagePlan] = []
  /// Whether regions of one image are spread over workers and ranks (otherwise whole images are).
  package var splitsImages = false
  /// Ranks and worker threads per rank.
  package var ranks = 1
  /// Worker threads of each rank.
  package var threads = 1
  /// Bytes of memory that each process will use at most, by the plan's own estimate.
  package var memory = 0
  /// Free bytes where the results go; nil when nothing is known.
  package var freeBytes: Int?
  /// The programs that do the images by themselves, in their order; none when omtask does them.
  package var programs: [ProgramPlan] = []
  /// What a person should know before the start.
  package var warnings: [String] = []

  /// Makes an empty plan.
  package init() {}

  /// The exit code of a plan: that of the gravest failure when none of the images can be processed, else 0.
  package var exitCode: Int32 {
    let codes = images.compactMap { $0.fault?.exitCode }
    return codes.count == images.count ? gravestExitCode(Set(codes)) ?? 0 : 0
  }

  /// Raw bytes that are decoded.
  package var bytesRead: Int { images.reduce(0) { $0 + $1.bytesRead } }
  /// Raw bytes that are encoded at most (all-fill chunks are left out).
  package var bytesWritten: Int { images.reduce(0) { $0 + $1.bytesWritten } }
  /// Files that are written at most.
  package var files: Int { images.reduce(0) { $0 + $1.files } }
}

/// One program that does images by itself.
package struct ProgramPlan: Sendable {
  /// The words that start it.
  package let words: [String]
  /// How often it is started, in words.
  package let times: String
}

/// What a run will do with one image.
package struct ImagePlan: Sendable {
  /// Where the image is.
  package var uri: String
  /// Its shape at the level that is read.
  package var shape: [Int] = []
  /// The type of its voxels.
  package var dataType: DataType?
  /// Its regions, also of an image that is done already.
  package var regions = 0
  /// The passes in their order.
  package var passes: [PassPlan] = []
  /// What is written.
  package var outputs: [OutputPlan] = []
  /// Whether processes that do not talk to each other can make parts of it.
  package var takesParts = true
  /// Why the image is not processed (already complete), or cannot be.
  package var note: String?
  /// Why it cannot be processed.
  package private(set) var fault: Fault?
  /// What a person should know before.
  var warnings: [String] = []
  /// Raw bytes that are decoded.
  package var bytesRead = 0
  /// Raw bytes that are encoded at most.
  package var bytesWritten = 0
  /// Files that are written at most.
  package var files = 0

  /// Makes the plan of an image.
  package init(uri: String) { self.uri = uri }

  /// Says that the image cannot be processed.
  mutating func fail(_ fault: Fault) {
    self.fault = fault
    note = "cannot be processed: \(fault.description)"
  }
}

/// One pass over one image: its regions with their owners.
package struct PassPlan: Sendable {
  /// What the pass does, for example `statistics` or `label`.
  package var name: String
  /// The regions in the order of work.
  package var regions: [RegionPlan]

  /// Makes the plan of a pass.
  package init(name: String, regions: [RegionPlan]) {
    self.name = name
    self.regions = regions
  }
}

/// One region of work.
package struct RegionPlan: Sendable {
  /// The label image it belongs to.
  package var output: String
  /// The voxels, in axes of the input image.
  package var region: Region
  /// The rank that starts with it.
  package var owner: Int

  /// Makes the plan of a region.
  package init(output: String, region: Region, owner: Int) {
    self.output = output
    self.region = region
    self.owner = owner
  }
}

/// One image or table that is written.
package struct OutputPlan: Sendable {
  /// Its name.
  package var name: String
  /// Where it will be.
  package var uri: String
  /// Shapes of its levels, finest first; none for a table.
  package var levelShapes: [[Int]]
  /// The type of its voxels (the narrowest that is sure to hold the numbers, when it is chosen).
  package var dataType: DataType?
  /// The chunk shape of the finest level.
  package var chunkShape: [Int]
  /// The shard shape of the finest level, if it is sharded.
  package var shardShape: [Int]?

  /// Makes the plan of an output.
  package init(
    name: String, uri: String, levelShapes: [[Int]], dataType: DataType, chunkShape: [Int],
    shardShape: [Int]?
  ) {
    self.name = name
    self.uri = uri
    self.levelShapes = levelShapes
    self.dataType = dataType
    self.chunkShape = chunkShape
    self.shardShape = shardShape
  }

  /// Makes the plan of a table, which has no voxels.
  package init(table name: String, uri: String) {
    self.name = name
    self.uri = uri
    levelShapes = []
    chunkShape = []
  }
}
