import Glibc
import OMImage
import OMJSON
import OMStore
import Synchronization

/// How the list of an image's labels was left, to see whether another program changes it later.
struct LabelsState: Sendable {
  /// Whether nothing was made in or removed from `labels` shortly before.
  let wasQuiet: Bool
  /// The list.
  var list: ValueStamp?
  /// The folder `labels`.
  var folder: ValueStamp?

  /// Programs that add a label image are done in less, in nanoseconds.
  static let shortly = 10_000_000_000

  /// The state in which nothing is known yet but how it was before.
  init(before folder: ValueStamp?, _ now: Int) {
    wasQuiet = folder.map { now - $0.modified > LabelsState.shortly } ?? true
  }
}

/// Sees to it that label images stay listed until the run ends.
///
/// Programs that do not know our lock read the list, add their label image, and write the list back
/// some time later; what was added in between is lost. So every list is looked at once more at the
/// end. Only where another program was at work shortly before or still is, the end waits for it.
final class LabelsWatch: Sendable {
  private struct Entry: Sendable {
    let register: LabelsRegister
    let state: LabelsState
    /// How often our names were listed again.
    var repairs = 0
    /// Whether another program is at work here.
    var isBusy = false
  }

  private let entries = Mutex<[Entry]>([])

  /// How often a lost entry is added again.
  private static let repairs = 3
  /// Seconds for which a list is watched where another program is at work, at least and at most.
  private static let watching = (least: 1.0, most: 5.0)

  /// Remembers a list that was changed.
  func add(_ register: LabelsRegister, _ state: LabelsState) {
    entries.withLock { $0.append(Entry(register: register, state: state)) }
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
    }.filter { !isUntouched($0) }
    var warnings: [String] = []
    while !pending.isEmpty {
      let waited = (clock.now - start) / .seconds(1)
      let mayWait = waited < LabelsWatch.watching.most && !isOver()
      pending = pending.compactMap { entry in
        var entry = entry
        do throws(Fault) {
          let isDone = try look(&entry, waited: waited)
          return isDone || !mayWait ? nil : entry
        } catch {
          warnings.append(warning(entry.register, error))
          return nil
        }
      }
      if !pending.isEmpty { usleep(50_000) }
    }
    return warnings
  }

  /// Whether nobody has touched the list or the folder since, nor shortly before.
  private func isUntouched(_ entry: Entry) -> Bool {
    let location = entry.register.location
    let labels = joinedKey(location.path, "labels")
    let list = joinedKey(labels, entry.register.version.documentName)
    return entry.state.wasQuiet && entry.state.list != nil
      && (try? location.store.stamp(list)) == entry.state.list
      && (try? location.store.stamp(labels)) == entry.state.folder
  }

  /// Looks at one list; true when it need not be looked at again.
  private func look(_ entry: inout Entry, waited: Double) throws(Fault) -> Bool {
    let register = entry.register
    let listed = try register.location.labelsList(register.version).names
    let lost = register.names.filter { !listed.contains($0) }
    if !lost.isEmpty {
      if entry.repairs == LabelsWatch.repairs {
        throw Fault(.locked, "", "another program took it out again")
      }
      entry.repairs += 1
      entry.isBusy = true
      try register.relist()
      return false
    }
    let others = try labelsInTheMaking(entry, listed)
    if others.isBusy { entry.isBusy = true }
    return !entry.isBusy || waited >= LabelsWatch.watching.least && !others.isUnlisted
  }

  /// Whether another program has just made label images here, and whether some are not listed yet.
  private func labelsInTheMaking(
    _ entry: Entry, _ listed: [String]
  ) throws(Fault) -> (isBusy: Bool, isUnlisted: Bool) {
    let location = entry.register.location
    let labels = try OutputFolder(path: location.displayName).folder("labels")
    let left = max(entry.state.list?.modified ?? 0, entry.state.folder?.modified ?? 0)
    var (isBusy, isUnlisted) = (false, false)
    for name in try labels.list() where !entry.register.names.contains(name) {
      // What goes while it is looked at is of no interest.
      guard (try? labels.kind(of: name)) == .folder, let stamp = try? labels.stamp(name),
        stamp.modified > left - LabelsState.shortly
      else { continue }
      let found = try? ExistingLabel.find(name, image: location.path, in: location.store)
      if found?.record != nil { continue }
      isBusy = true
      if !listed.contains(name) { isUnlisted = true }
    }
    return (isBusy, isUnlisted)
  }

  private func warning(_ register: LabelsRegister, _ fault: Fault) -> String {
    let place = register.location.displayName
    let names = register.names.map { "`\($0)`" }.joined(separator: ", ")
    return "\(place)/labels may not list \(names) any more (\(fault.description)); "
      + "`omtask verify \(place) --repair` lists what is complete"
  }
}
