import Glibc
import OMJSON
import OMStore

/// Changes a document that programs which do not know our locks may change at the same moment.
///
/// The new version and the old one change places in one step. When the old one is not the one that
/// was read, another program was faster: its version is changed in turn, so nothing of it is lost.
struct DocumentUpdate: Sendable {
  /// A folder on the same disk in which only the holder of a lock writes.
  let workshop: OutputFolder
  /// The name of the new version while it is there.
  let spareName: String
  /// Whether to wait for the disk.
  let isDurable: Bool

  /// Called right before two documents change places; tests let other programs write then.
  var willExchange: (@Sendable () -> Void)?

  /// How often a document is changed again that others keep changing.
  private static let tries = 50
  /// How often a document is read again that somebody seems to be writing just now.
  private static let readings = 6

  /// Changes a document.
  ///
  /// - Parameters:
  ///   - name: The document.
  ///   - folder: The folder it lies in.
  ///   - make: Makes the new document of the bytes that are there, nil for none; nil leaves them. It
  ///     is called again for every version that another program wrote meanwhile.
  /// - Returns: Which document is there now.
  /// - Throws: What `make` throws for the first version, `locked` when others keep changing it, and
  ///   what reading and writing throws.
  @discardableResult
  func change(
    _ name: String, in folder: OutputFolder,
    _ make: ([UInt8]?) throws(Fault) -> [UInt8]?
  ) throws(Fault) -> ValueStamp? {
    var place = try found(name, in: folder, make)
    // A killed process may have left a new version that is of no use any more.
    if place.next == nil { try? workshop.removeTree(spareName) }
    for _ in 0..<DocumentUpdate.tries {
      guard let next = place.next else { return try folder.stamp(name) }
      if next.count > JSON.maximumBytes { throw tooLong(folder, name, next.count) }
      switch try put(next, as: name, in: folder, place) {
      case .instead(let old) where old == place.present:
        let stamp = try folder.stamp(name)
        if stamp?.size == next.count {
          if isDurable && place.isOwed { try folder.sync(name) }
          return stamp
        }
        // Another program has changed it since, or the disk has lost it.
        place = try found(name, in: folder, make)
      case .instead(let other):
        // What another program left unfinished gives way to ours.
        guard let made = try? make(other) ?? other else { return try folder.stamp(name) }
        place = Place(present: next, next: made, isOwed: true)
      case .refused:
        try workshop.removeTree(spareName)
        place = try found(name, in: folder, make)
      }
    }
    throw Fault(
      .locked, "\(folder.path)/\(name)", "another program keeps changing it",
      hint: "run the command again when that has ended")
  }

  /// What stands in a place as far as we know, and what is to stand there; nil leaves it.
  private struct Place {
    var present: [UInt8]?
    var next: [UInt8]?
    /// Whether what another program wrote is out of its place as long as this is not there: then the
    /// disk is waited for afterwards.
    var isOwed = false
  }

  /// What became of an attempt to put a document in its place.
  private enum Outcome {
    /// It is there instead of these bytes.
    case instead([UInt8]?)
    /// It is not there, since a document came or went at the same moment.
    case refused
  }

  private func found(
    _ name: String, in folder: OutputFolder, _ make: ([UInt8]?) throws(Fault) -> [UInt8]?
  ) throws(Fault) -> Place {
    try DocumentUpdate.settled { () throws(Fault) in
      let bytes = try folder.read(name, limit: JSON.maximumBytes)
      return Place(present: bytes, next: try make(bytes))
    }
  }

  private func put(
    _ bytes: [UInt8], as name: String, in folder: OutputFolder, _ place: Place
  ) throws(Fault) -> Outcome {
    let present = place.present
    try workshop.writeUnseen(spareName, bytes)
    if isDurable && !place.isOwed { try workshop.sync(spareName) }
    // Mostly a change is seen here, so that no entry of another program is ever out of its place.
    if present != nil, !place.isOwed {
      let now: [UInt8]?
      do throws(Fault) { now = try folder.read(name, limit: JSON.maximumBytes) } catch {
        try? workshop.removeTree(spareName)
        throw error
      }
      if now != present { return .refused }
    }
    willExchange?()
    do throws(Fault) {
      if present == nil {
        try workshop.renameNoReplace(spareName, to: folder, name)
        return .instead(nil)
      }
      try workshop.renameExchange(spareName, with: folder, name)
    } catch {
      if error.kind == .exists || error.kind == .missing { return .refused }
      defer { try? workshop.removeTree(spareName) }
      guard error.kind == .unsupported else { throw error }
      return try replace(name, in: folder, bytes, present)
    }
    return .instead(try takenOut(of: name, in: folder, present))
  }

  /// The bytes of the document that was taken out of its place; empty for one that is no document.
  private func takenOut(
    of name: String, in folder: OutputFolder, _ present: [UInt8]?
  ) throws(Fault) -> [UInt8] {
    let bytes: [UInt8]
    do throws(Fault) {
      bytes = try DocumentUpdate.settled { () throws(Fault) in
        let bytes = try workshop.read(spareName, limit: JSON.maximumBytes) ?? []
        // Programs that write in place may still be about it.
        if bytes != present { _ = try JSON(parsing: bytes, subject: spareName, lenient: true) }
        return bytes
      }
    } catch {
      if error.kind == .json {
        bytes = []
      } else {
        // It was a link, or no file: it goes back to its place.
        try workshop.renameExchange(spareName, with: folder, name)
        try? workshop.removeTree(spareName)
        var fault = error
        fault.subject = "\(folder.path)/\(name)"
        throw fault
      }
    }
    // The document is in its place; what is left here goes with the next change.
    try? workshop.removeTree(spareName)
    return bytes
  }

  /// Replaces a document where two names cannot be exchanged; a moment stays open in which another
  /// program can lose its change.
  private func replace(
    _ name: String, in folder: OutputFolder, _ bytes: [UInt8], _ present: [UInt8]?
  ) throws(Fault) -> Outcome {
    guard try folder.read(name, limit: JSON.maximumBytes) == present else { return .refused }
    try folder.write(name, bytes, durable: isDurable)
    return .instead(present)
  }

  private func tooLong(_ folder: OutputFolder, _ name: String, _ count: Int) -> Fault {
    Fault(
      .limit, "\(folder.path)/\(name)",
      "it would have \(count) bytes, expected at most \(JSON.maximumBytes)")
  }

  /// Reads something again for a little while when it is no JSON: another program that writes its
  /// documents in place may just be doing that.
  static func settled<Value>(
    _ read: () throws(Fault) -> Value
  ) throws(Fault) -> Value {
    for reading in 0..<readings {
      do throws(Fault) { return try read() } catch {
        if error.kind != .json && error.kind != .truncated { throw error }
      }
      usleep(UInt32(5000 << reading))
    }
    return try read()
  }
}
