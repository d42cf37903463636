import OMImage
import OMJSON
import OMStore

/// A list of labels or tables that was changed, and what other programs do with it since.
struct WatchedList: Sendable {
  let register: LabelsRegister
  private let state: LabelsState
  /// Whether another program is at work here.
  private var isBusy = false
  /// How often our names were listed again.
  private var repairs = 0
  /// When they were listed last, and when the list was looked at last, in seconds.
  private var times = (listed: 0.0, looked: -1.0)
  /// The list as it was looked at last.
  private var seen: ValueStamp?
  /// The label images of other programs that were begun before ours were listed, or so soon after
  /// that the list may have been read before.
  private var awaited: Set<String> = []
  /// Which folders are label images of other programs, as far as that was found out.
  private var isForeign: [String: Bool] = [:]

  /// Seconds for which ours stay listed where another program is at work, before that is believed; a
  /// program that has read the list begins its label image in less, also on a machine with much to do.
  private static let shortest = 1.0
  /// Seconds after which a list is read again that seems to be the same.
  private static let pause = 0.05
  /// So many times a name may be lost without a word.
  private static let bearable = 3

  init(_ register: LabelsRegister, _ state: LabelsState) {
    self.register = register
    self.state = state
  }

  private var location: ImageLocation { register.location }
  private var labels: String { joinedKey(location.path, register.shelf.name) }
  private var stamp: ValueStamp? {
    (try? location.store.stamp(joinedKey(labels, register.version.documentName))) ?? nil
  }

  /// Whether nobody has touched the list or the folder since, nor shortly before.
  var isUntouched: Bool {
    state.wasQuiet && state.list != nil && stamp == state.list
      && (try? location.store.stamp(labels)) == state.folder
  }

  /// Whether our names were lost so often that they may well be again.
  var isContested: Bool { repairs > WatchedList.bearable }

  /// Looks at the list, and lists ours again when they were lost.
  ///
  /// - Parameter now: The time in seconds since the watching began.
  /// - Returns: Whether ours will stay: every program that may have read the list before they were in
  ///   it has written it back.
  /// - Throws: What reading and changing the list gives.
  mutating func isSettled(at now: Double) throws(Fault) -> Bool {
    let stamp = stamp
    if isBusy && stamp == seen && now - times.looked < WatchedList.pause { return false }
    seen = stamp
    times.looked = now
    let listed = try location.labelsList(register.version, register.shelf).names
    if !register.names.allSatisfy(listed.contains) {
      repairs += 1
      isBusy = true
      awaited = []
      try register.relist()
      times.listed = now
      return false
    }
    let unlisted = try labelsInTheMaking(listed)
    if !isBusy { return true }
    if now - times.listed < WatchedList.shortest {
      awaited.formUnion(unlisted)
      return false
    }
    return awaited.isDisjoint(with: unlisted)
  }

  /// The label images of other programs that are not listed yet.
  private mutating func labelsInTheMaking(_ listed: [String]) throws(Fault) -> Set<String> {
    let folder = try OutputFolder(path: location.displayName).folder(register.shelf.name)
    let left = max(state.list?.modified ?? 0, state.folder?.modified ?? 0)
    var unlisted: Set<String> = []
    for name in try folder.list() where !register.names.contains(name) {
      if isForeign[name] == nil {
        // What goes while it is looked at is of no interest.
        guard (try? folder.kind(of: name)) == .folder, let stamp = try? folder.stamp(name) else {
          continue
        }
        let isNew = stamp.modified > left - LabelsState.shortly
        isForeign[name] = isNew && !isOurs(name)
      }
      guard isForeign[name] == true else { continue }
      isBusy = true
      if !listed.contains(name) { unlisted.insert(name) }
    }
    return unlisted
  }

  private func isOurs(_ name: String) -> Bool {
    let found = try? ExistingLabel.find(
      name, image: location.path, in: location.store, shelf: register.shelf)
    return found?.record != nil
  }
}
