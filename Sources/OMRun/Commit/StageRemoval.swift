import OMImage
package import OMJSON
package import OMStore

/// Removes the stages of runs that nobody goes on with (`omtask clean`).
package enum StageRemoval {
  /// Removes a stage.
  ///
  /// A label image that a run had put aside for its own when it was killed goes back to its place.
  /// *Local*.
  ///
  /// - Parameters:
  ///   - runID: The run.
  ///   - folder: The name of the folder of stages: `.omtask` in an image.
  ///   - holder: The folder that holds it.
  /// - Throws: A fault of kind `locked` when a process works at the run, and what the disk throws.
  package static func remove(
    _ runID: String, of folder: String, in holder: OutputFolder
  ) throws(Fault) {
    let stage = Stage(
      holder: holder, folder: folder, runID: runID, rank: 0, durability: .none)
    let root = try stage.root()
    stage.take(try FileLock.acquire(Stage.lockName, in: root, patience: 0))
    stage.expectMore()
    do {
      try Stage.waitForParts(in: root, patience: 0)
      if folder == ImageCommitter.folder {
        try ImageCommitter.restore(from: root, in: holder)
        if try root.kind(of: LevelsRecord.name) != nil {
          let source = try ImageSource.open(holder.path, filter: WellFilter())
          if let home = source.items.first?.location {
            try InPlaceCommitter.settle(root, home: home, in: holder, .forUpkeep)
          }
        }
      } else {
        try SeparateCommitter.restore(from: root, in: holder)
      }
      try stage.remove()
    } catch {
      stage.unlock()
      throw error
    }
  }
}

extension LockRules {
  /// How locks are taken by who only looks after what others left.
  static var forUpkeep: LockRules {
    LockRules(holder: .thisProcess(), patience: 0, check: {}, warn: { _ in })
  }
}
