import Glibc
import OMImage
import OMJSON
import OMStore
import Synchronization

/// How a list of an image's labels or tables was left, to see whether another program changes it later.
struct LabelsState: Sendable {
  /// Whether nothing was made in or removed from the folder of the list shortly before.
  let wasQuiet: Bool
  /// The list.
  var list: ValueStamp?
  /// The folder of the list.
  var folder: ValueStamp?

  /// Programs that add a label image are done in less, in nanoseconds.
  static let shortly = 10_000_000_000

  /// The state in which nothing is known yet but how it was before.
  init(before folder: ValueStamp?, _ now: Int) {
    wasQuiet = folder.map { now - $0.modified > LabelsState.shortly } ?? true
  }
}

/// Sees to it that label images and tables stay listed until the run ends.
///
/// Programs that do not know our lock read the list, add their label image, and write the list back
/// some time later; what was added in between is lost. So every list is looked at once more at the
/// end. Only where another program was at work shortly before or still is, the end waits for it.
final class LabelsWatch: Sendable {
  private let entries = Mutex<[WatchedList]>([])
  /// Seconds for which lists are watched at most.
  private let longest: Double

  /// Makes a watch.
  init(longest: Double = 10) { self.longest = longest }

  /// Remembers a list that was changed.
  func add(_ register: LabelsRegister, _ state: LabelsState) {
    entries.withLock { $0.append(WatchedList(register, state)) }
  }

  /// Looks at all lists once more, and adds again what was lost.
  ///
  /// *Local*.
  ///
  /// - Parameter isOver: Whether to wait no longer.
  /// - Returns: Warnings about label images that are no longer listed.
  func settle(unless isOver: () -> Bool) -> [String] {
    let clock = ContinuousClock()
    let start = clock.now
    var pending = entries.withLock { entries in
      defer { entries = [] }
      return entries
    }.filter { !$0.isUntouched }
    var warnings: [String] = []
    while !pending.isEmpty {
      let now = (clock.now - start) / .seconds(1)
      let mayWait = now < longest && !isOver()
      pending = pending.compactMap { list in
        var list = list
        do throws(Fault) {
          if try list.isSettled(at: now) { return nil }
          if mayWait { return list }
          if list.isContested { throw Fault(.locked, "", "another program keeps taking it out") }
        } catch { warnings.append(warning(list.register, error)) }
        return nil
      }
      // Programs that add label images one after the other leave little time between two of them.
      if !pending.isEmpty { usleep(2000) }
    }
    return warnings
  }

  private func warning(_ register: LabelsRegister, _ fault: Fault) -> String {
    let place = register.location.displayName
    let names = register.names.map { "`\($0)`" }.joined(separator: ", ")
    return "\(place)/\(register.shelf.name) may not list \(names) any more (\(fault.description)); "
      + "`omtask verify \(place) --repair` lists what is complete"
  }
}
