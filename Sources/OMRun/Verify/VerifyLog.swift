import OMJSON
import OMStore
import OMZarr
import Synchronization

/// Takes what is found, from any thread.
final class VerifyLog: Sendable {
  private let found = Mutex(VerifyReport())

  /// What was found so far.
  var report: VerifyReport { found.withLock { $0 } }

  /// Changes the report.
  func note(_ change: (inout VerifyReport) -> Void) { found.withLock { change(&$0) } }

  /// Notes what is damaged.
  func problem(_ fault: Fault) { note { $0.problems.add(Finding(fault)) } }

  /// Whether something about this subject was found to be damaged.
  func knows(_ subject: String) -> Bool { found.withLock { $0.problems.names(subject) } }

  /// Notes what harms nobody.
  func remark(_ subject: String, _ message: String, hint: String? = nil) {
    note { $0.notes.add(Finding(Fault(.metadata, subject, message, hint: hint))) }
  }

  /// Notes what was repaired.
  func repaired(_ text: String) { note { $0.repairs.append(text) } }

  /// Notes what became of a stored chunk or shard of an array.
  func add(_ result: UnitCheck, _ array: ZarrArray) {
    let root = array.store.description
    note { report in
      report.stored += 1
      report.bytes += result.bytes
      report.sound += result.sound
      report.absent += result.absent - result.inside
      report.unused += result.unused
      for damage in result.damage {
        report.problems.add(Finding(damage.fault.below(root), position: damage.position))
      }
    }
  }
}
