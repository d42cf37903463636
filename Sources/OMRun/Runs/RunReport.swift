package import OMGrid
package import OMJSON
package import OMTask

/// What became of a run.
package struct RunReport: Sendable {
  /// The images in the order of the input.
  package var images: [ImageReport] = []
  /// What the entries of `images` are: images, or calls of programs that had all images as one piece of
  /// work.
  package var unit = "image"
  /// What programs said that had all images as one piece of work; nil for other tasks.
  package var answer: WholeImageAnswer?
  /// Voxels of the input that were processed.
  package var voxels = 0
  /// Stored bytes read from the input.
  package var bytesRead = 0
  /// Stored bytes written.
  package var bytesWritten = 0
  /// Chunks of the input that are not stored and count as fill value.
  package var absentChunks = 0
  /// Wall time in seconds.
  package var seconds = 0.0
  /// The largest resident memory of one process, in bytes.
  package var peakMemory = 0
  /// Ranks of the run.
  package var ranks = 1
  /// Worker threads of each rank.
  package var threads = 1

  /// Makes an empty report.
  package init() {}

  /// Damaged chunks of the input that count as fill value, in all images.
  package var damagedChunks: Int { images.reduce(0) { $0 + $1.damage.count } }

  /// The exit code of the run: 0, or that of the gravest failure (design, table of exit codes).
  package var exitCode: Int32 {
    var codes = Set(images.compactMap { $0.fault?.exitCode })
    // A task that makes something else than it declares has a bug.
    if images.contains(where: { !$0.mismatches.isEmpty }) {
      codes.insert(FaultKind.internal.exitCode)
    }
    return gravestExitCode(codes) ?? 0
  }
}

/// What became of one image.
package struct ImageReport: Sendable {
  /// How the image ended.
  package enum Status: String, Sendable {
    /// Its results were made and committed.
    case done
    /// Its results were there already.
    case skipped
    /// A part of the work was done and is kept; nothing of it is visible.
    case part
    /// It failed; nothing of it is visible.
    case failed
  }

  /// Where the image is.
  package var uri: String
  /// How it ended.
  package var status: Status
  /// Why it failed.
  package var fault: Fault?
  /// Why there was nothing to do, where that is not plain.
  package var note: String?
  /// What was made (or was there already).
  package var outputs: [OutputReport] = []
  /// How its results differ from what the manifest of the task declares.
  package var mismatches: [String] = []
  /// Its damaged chunks that count as fill value.
  package var damage = DamageReport()
  /// What a program said that did the image by itself; nil when omtask did it.
  package var answer: WholeImageAnswer?
  /// Where that is what the program printed; nil when that is nothing.
  package var log: String?

  /// Makes the report of an image.
  package init(uri: String, status: Status, fault: Fault? = nil) {
    self.uri = uri
    self.status = status
    self.fault = fault
  }
}

/// The threshold of one scope.
package struct ScopeThreshold: Sendable, Equatable {
  /// The scope, for example `t=0 c=1`; empty for the whole image.
  package var scope: String
  /// The threshold.
  package var value: Double

  /// Makes the threshold of a scope.
  package init(scope: String, value: Double) {
    self.scope = scope
    self.value = value
  }
}

/// One image or table that was made.
package struct OutputReport: Sendable {
  /// What it is.
  package enum Kind: String, Sendable {
    /// A label image in the image.
    case label
    /// A derived image beside the image.
    case image
    /// A table in the image.
    case table
    /// Coarser levels in an image that was there.
    case levels
  }

  /// Its name.
  package var name: String
  /// Where it is.
  package var uri: String
  /// What it is.
  package var kind: Kind
  /// The new plate that it is in; nil for one that was there before, and for none.
  package var plate: String?
  /// How many objects it holds; nil for a mask.
  package var objects: Int?
  /// How many rows a table has.
  package var rows: Int?
  /// The thresholds used, in the order of the scopes.
  package var thresholds: [ScopeThreshold] = []
  /// The type of its voxels; nil for a table.
  package var dataType: DataType?
  /// The share of processed voxels that are foreground before any object rule, 0…1.
  package var foregroundShare = 0.0
  /// What a person should look at.
  package var notes: [String] = []
  /// What to tell of the one whose place it took, where omtask did not make that.
  package var replaced: String?

  /// Makes the report of an output.
  package init(name: String, uri: String, kind: Kind = .label, dataType: DataType?) {
    self.name = name
    self.uri = uri
    self.kind = kind
    self.dataType = dataType
  }
}

/// The gravest of several exit codes; nil when there are none.
package func gravestExitCode(_ codes: Set<Int32>) -> Int32? {
  let order: [Int32] = [70, 74, 69, 75, 77, 79, 76, 65, 66, 73, 1]
  return order.first { codes.contains($0) } ?? codes.min()
}
