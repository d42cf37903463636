package import OMJSON

/// What work costs on one machine, as `omtask bench` measured it.
package struct CostModel: Sendable, Equatable {
  /// The name of the machine.
  package var host = ""
  /// What its processor calls itself.
  package var processor = ""
  /// How many threads run there at once.
  package var cores = 1
  /// When it was measured, in UTC.
  package var measured = ""
  /// The version of the program that measured it.
  package var program = ""
  /// The folder in which files were made.
  package var folder = ""
  /// What codecs cost.
  package var codecs: [CodecCosts] = []
  /// What files cost there.
  package var files = FileCosts()
  /// What starting costs.
  package var launch = LaunchCosts()
  /// What tasks cost.
  package var tasks: [TaskCosts] = []

  /// Makes an empty model.
  package init() {}

  /// The form of the document; another form is refused.
  package static let version = 1
}

/// How fast one codec is on one thread.
package struct CodecCosts: Sendable, Equatable {
  /// The codec, as `codecName` names it.
  package var name: String
  /// The type of the voxels.
  package var dataType: String
  /// Raw bytes that are decoded in a second.
  package var decode: Double
  /// Raw bytes that are encoded in a second.
  package var encode: Double
  /// Raw bytes over encoded bytes.
  package var ratio: Double

  /// Makes the costs of a codec.
  package init(name: String, dataType: String, decode: Double, encode: Double, ratio: Double) {
    self.name = name
    self.dataType = dataType
    self.decode = decode
    self.encode = encode
    self.ratio = ratio
  }
}

/// What files cost in seconds.
package struct FileCosts: Sendable, Equatable {
  /// Making a small file under a temporary name and renaming it.
  package var create = 0.0
  /// Asking whether there is a file.
  package var stat = 0.0
  /// Waiting until a small file is on the disk.
  package var sync = 0.0

  /// Makes costs of nothing.
  package init() {}
}

/// What starting a run costs in seconds, measured with a tiny image.
package struct LaunchCosts: Sendable, Equatable {
  /// One process without MPI: what is not the run itself.
  package var process = 0.0
  /// The run of a tiny image in one process.
  package var alone = 0.0
  /// The same by `mpirun` on this machine; none where it is not there.
  package var ranks: [RankCosts] = []

  /// Makes costs of nothing.
  package init() {}
}

/// What starting ranks costs in seconds.
package struct RankCosts: Sendable, Equatable {
  /// How many ranks were started on the machine.
  package var ranks: Int
  /// From the call of the launcher to its end, without the run.
  package var start: Double
  /// The run of a tiny image, which is messages mostly.
  package var run: Double

  /// Makes the costs of so many ranks.
  package init(ranks: Int, start: Double, run: Double) {
    self.ranks = ranks
    self.start = start
    self.run = run
  }
}

/// What a task costs, measured on a part of an image.
package struct TaskCosts: Sendable, Equatable {
  /// The task.
  package var task: String
  /// Its parameters, those left to their defaults included.
  package var parameters: JSONObject
  /// The type of the voxels that were read.
  package var dataType: String
  /// How they were encoded, as `codecName` names it.
  package var codec: String
  /// How many voxels were processed.
  package var voxels: Int
  /// How often each was decoded.
  package var decodings: Double
  /// Seconds of a run that are spent before and after its images.
  package var run: Double
  /// Seconds of each image that are not spent in regions, whatever their number.
  package var image: Double
  /// Seconds for which each image waits for the disk before it becomes visible, beside its chunks.
  package var commit: Double
  /// Seconds until one write unit is on the disk, when one thread waits for one after the other.
  package var sync: Double
  /// The same when as many threads wait as the machine has cores.
  package var crowdedSync: Double
  /// Seconds between passes for each voxel, such as joining objects.
  package var between: Double
  /// By which factor regions take longer when all cores of the machine are busy.
  package var contention: Double
  /// Stored bytes that were written for each voxel.
  package var written: Double
  /// The passes in their order.
  package var passes: [PassCosts]

  /// Makes the costs of a task.
  package init(
    task: String, parameters: JSONObject, dataType: String, codec: String, voxels: Int,
    decodings: Double, run: Double, image: Double, commit: Double, sync: Double,
    crowdedSync: Double, between: Double, contention: Double, written: Double, passes: [PassCosts]
  ) {
    self.task = task
    self.parameters = parameters
    self.dataType = dataType
    self.codec = codec
    self.voxels = voxels
    self.decodings = decodings
    self.run = run
    self.image = image
    self.commit = commit
    self.sync = sync
    self.crowdedSync = crowdedSync
    self.between = between
    self.contention = contention
    self.written = written
    self.passes = passes
  }
}

/// What one pass costs.
package struct PassCosts: Sendable, Equatable {
  /// The name of the pass.
  package var name: String
  /// Seconds on a processor for each voxel.
  package var cpu: Double
  /// Seconds of waiting for each voxel.
  package var wait: Double

  /// Makes the costs of a pass.
  package init(name: String, cpu: Double, wait: Double) {
    self.name = name
    self.cpu = cpu
    self.wait = wait
  }
}

/// Stages of a run that are no passes over regions.
package enum SimulatedStage {
  /// Coarser levels that no rank could make on the way.
  package static let levels = "levels"
  /// Waiting for the disk.
  package static let sync = "sync"
}
