package import OMGrid
package import OMManifest
package import OMTask

/// What to do with a damaged chunk of the input.
package enum DamagePolicy: String, Sendable, CaseIterable {
  /// The image fails.
  case stop
  /// The chunk counts as fill value and is listed in the report.
  case fill
}

/// The part of one axis that is processed: `t=0:10` or `z=3`.
package struct SelectionRange: Sendable, Equatable {
  /// The first index.
  package var lower: Int
  /// One past the last index; nil reaches to the end of the axis.
  package var upper: Int?

  /// Makes a range.
  package init(lower: Int, upper: Int?) {
    self.lower = lower
    self.upper = upper
  }
}

/// How a run is done; nothing here changes a pixel, but for `select` and
/// `roiTable`.
package struct RunOptions: Sendable {
  /// The selected part per axis name; axes that are not named are processed whole.
  package var select: [String: SelectionRange] = [:]
  /// The ROI table of each image whose boxes are processed; nil processes what `select` leaves.
  package var roiTable: String?
  /// The level that is taken for the finest: a preview looks at an image from a coarser one on.
  package var firstLevel = 0
  /// How many write units make a region: a trial wants other regions than runs have.
  package var growth = RegionGrowth.usual
  /// Where results go; nil puts them into the image.
  package var output: String?
  /// Whether images made in wells have names of letters and digits only.
  package var plainNames = false
  /// The file of a collection in which results are listed; nil lists them nowhere else.
  package var collection: String?
  /// Whether another result under the same name is replaced.
  package var overwrite = false
  /// Worker threads of each process.
  package var threads = 1
  /// Bytes that one process may use.
  package var memory = 2 << 30
  /// Whether the run stops at the first image that fails.
  package var failFast = false
  /// Wells to process, as `B/03` or with `*`; empty takes all.
  package var wells: [String] = []
  /// The acquisition to process; nil takes all.
  package var acquisition: Int?
  /// What to do with damaged chunks.
  package var onDamage = DamagePolicy.stop
  /// Whether symbolic links that leave the image are followed.
  package var followLinks = false
  /// Ends the run before its time.
  package var stop = StopSwitch()
  /// Whether what an earlier, unfinished invocation did is thrown away.
  package var fresh = false
  /// What of a result waits until it is on the disk.
  package var durability = Durability.commit
  /// What the task may know of the run.
  package var surroundings = TaskSurroundings()
  /// Seconds to wait for a lock that another process holds.
  package var lockWait = 60.0

  /// The folder in which results for buckets grow, in one of its own; nil where there is none.
  package var scratch: String?
  /// Whether a person named that folder.
  package var namesScratch = false
  /// Whether nobody else writes into buckets that know no conditions.
  package var assumesSingleWriter = false

  /// The part of the work that this process does, beside others that know nothing of it; nil for all.
  package var part: WorkPart?
  /// Whether the process that ends the last part does the rest, too.
  package var lastPartFinishes = false
  /// Whether an image of which a part was not done is refused, instead of being done here.
  package var needsParts = false

  /// Makes the default options.
  package init() {}
}

/// One run as asked for.
package struct RunRequest: Sendable {
  /// The task.
  package var entry: CatalogEntry
  /// Its manifest, parsed.
  package var manifest: Manifest
  /// The bound parameters.
  package var parameters: Parameters
  /// The images, plates and wells to process.
  package var inputs: [String]
  /// How the run is done.
  package var options: RunOptions

  /// Makes a request.
  package init(
    entry: CatalogEntry, manifest: Manifest, parameters: Parameters, inputs: [String],
    options: RunOptions
  ) {
    self.entry = entry
    self.manifest = manifest
    self.parameters = parameters
    self.inputs = inputs
    self.options = options
  }
}
