import Glibc
import OMImage
import OMJSON
import OMStore

/// The hidden folder while a program is at work: `.<image>.omtask/<run id>/` beside its image, or
/// `.omtask/<run id>/` in the folder that new images go into.
///
/// It holds the lock of the run, `run.json`, the files of the call and, after a failure, what the program
/// printed. The locks of the places of images are held with it, so that nobody runs another program on
/// an image or replaces it.
final class ProgramStage: Sendable {
  /// The folder of the run.
  let root: OutputFolder
  /// The folder of all runs, with the records.
  let home: OutputFolder
  private let stage: Stage
  private let places: PlaceLocks

  private static let tries = 50

  /// Takes all locks.
  ///
  /// *Local*.
  ///
  /// - Parameters:
  ///   - parent: The folder that holds the folder of all runs.
  ///   - name: The name of the folder of all runs.
  ///   - runID: The run.
  ///   - images: The images, or the plates that they are in.
  ///   - rules: How locks are taken.
  ///   - durability: What waits for the disk.
  /// - Throws: A fault of kind `locked` when another process keeps a lock, `permission` when nothing
  ///   can be written there.
  init(
    in parent: String, _ name: String, runID: String, images: [SeparatePath], _ rules: LockRules,
    _ durability: Durability
  ) throws(Fault) {
    let holder = try OutputFolder(path: parent)
    let wait = LockWait(rules.patience)
    for _ in 0..<Self.tries {
      do throws(Fault) {
        let home = try holder.makeFolder(name)
        let root = try home.makeFolder(runID)
        let stage = Stage(
          holder: holder, folder: name, runID: runID, rank: 0, durability: durability)
        let lock = try FileLock.acquire(
          Stage.lockName, in: root, holder: rules.holder, patience: wait.left,
          onBreak: rules.warn, whileWaiting: rules.check)
        stage.open(root)
        stage.take(lock)
        stage.expectMore()
        do throws(Fault) {
          places = try PlaceLocks(images, besides: home, rules, wait)
        } catch {
          stage.unlock()
          stage.removeFolders()
          throw error
        }
        (self.root, self.home, self.stage) = (root, home, stage)
        return
      } catch {
        // Who held the lock before has removed the folder.
        if error.kind == .missing { continue }
        var fault = error
        if error.kind == .permission {
          fault.hint = "what is done is noted there, so the folder must be writable"
        }
        throw fault
      }
    }
    throw Fault(
      .locked, joinedKey(parent, name), "other processes keep removing it",
      hint: "run the command again")
  }

  /// What earlier invocations noted that were not finished, also those of other calls, by run.
  ///
  /// The lock of the image's place is held, so that none of them is at work.
  var unfinished: [(runID: String, note: JSONObject)] {
    let names = ((try? home.list()) ?? []).filter { (try? home.kind(of: $0)) == .some(.folder) }
    return names.compactMap { name in
      guard let folder = try? home.folder(name),
        let bytes = try? folder.read(Stage.recordName, limit: JSON.maximumBytes),
        let note = try? JSON(parsing: bytes, subject: Stage.recordName).objectValue
      else { return nil }
      return (name, note)
    }
  }

  /// Notes that what an earlier invocation left of the image was taken as it was.
  func settle(_ runID: String, _ note: JSONObject) {
    var note = note
    note["untouched"] = true
    guard let folder = try? home.folder(runID) else { return }
    try? folder.write(Stage.recordName, JSON.object(note).bytes(indent: 2))
  }

  /// What an earlier invocation of this run noted that was not finished; nil when there was none.
  var note: JSONObject? {
    (try? root.read(Stage.recordName, limit: JSON.maximumBytes)).flatMap(\.self).flatMap {
      try? JSON(parsing: $0, subject: Stage.recordName).objectValue
    }
  }

  /// Notes something about the run.
  func note(_ document: JSONObject) throws(Fault) {
    try root.write(
      Stage.recordName, JSON.object(document).bytes(indent: 2),
      durable: stage.durability != .none)
  }

  /// Writes a file among the records.
  func write(_ name: String, _ bytes: [UInt8]) throws(Fault) {
    try home.write(name, bytes, durable: stage.durability != .none)
  }

  /// Gives the locks back and keeps the folder of the run.
  func leave() {
    places.release()
    stage.unlock()
  }

  /// Removes the folder of the run.
  func remove() throws(Fault) {
    places.release()
    try stage.remove()
  }
}
