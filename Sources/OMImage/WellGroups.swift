import OMJSON
import OMStore
import Synchronization

/// The metadata of the wells of a plate; those on a server are read many at a time, before they are wanted.
struct WellGroups {
  private let plate: ImageLocation
  private let known: [String: Result<OMEGroup?, Fault>]

  /// Reads the wells of a plate, where each is a journey.
  ///
  /// What is wrong with a well is told when it is wanted: faults come in the order of the wells.
  ///
  /// - Parameters:
  ///   - paths: The keys of the wells, below the plate.
  ///   - plate: The plate.
  init(_ paths: [String], of plate: ImageLocation) {
    self.plate = plate
    guard plate.store.isRemote else {
      known = [:]
      return
    }
    let found = Mutex<[String: Result<OMEGroup?, Fault>]>([:])
    let isOver = Atomic<Bool>(false)
    // The body throws nothing, so nothing is thrown.
    try? atOnce(paths.count, width: RemoteStore.width) { place in
      if isOver.load(ordering: .relaxed) { return }
      let group = Result { () throws(Fault) in try Self.read(paths[place], of: plate) }
      // A server that is gone is not asked for all the others: whoever wants them asks again.
      if case .failure(let fault) = group, fault.kind == .remote {
        isOver.store(true, ordering: .relaxed)
      }
      found.withLock { $0[paths[place]] = group }
    }
    known = found.withLock { $0 }
  }

  /// The group of a well; nil when there is none.
  ///
  /// - Throws: What reading it threw.
  func read(_ path: String) throws(Fault) -> OMEGroup? {
    if let group = known[path] { return try group.get() }
    return try Self.read(path, of: plate)
  }

  private static func read(_ path: String, of plate: ImageLocation) throws(Fault) -> OMEGroup? {
    try OMEGroup.read(plate.store, path: joinedKey(plate.path, path))
  }
}
