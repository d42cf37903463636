import CSys
import OMJSON
import OMStore
import Synchronization

/// The journal of one rank in one invocation of a run: what is done is noted here, so that the next
/// invocation need not do it again.
///
/// Records are gathered and added in one call when a piece of work ends. Both files are made when
/// the first byte is written. Calls are local and may come from any thread.
final class JournalWriter: Sendable {
  private struct State {
    var pending: [JournalRecord]
    var journal: AppendedFile?
    var partials: AppendedFile?
    var partialBytes = 0
  }

  private let folder: OutputFolder
  private let suffix: String
  private let isDurable: Bool
  private let state: Mutex<State>

  /// Makes a writer; nothing is written yet.
  ///
  /// - Parameters:
  ///   - folder: The stage.
  ///   - begin: The first record.
  ///   - isDurable: Whether every piece of work waits until its records are on the disk.
  init(_ folder: OutputFolder, _ begin: JournalBegin, isDurable: Bool) {
    self.folder = folder
    self.isDurable = isDurable
    suffix = JournalFiles.suffix(begin.invocation, begin.rank)
    state = Mutex(State(pending: [.begin(begin)]))
  }

  /// Notes something, to be written with the next `flush`.
  func add(_ record: JournalRecord) { state.withLock { $0.pending.append(record) } }

  /// Writes what was noted, and more.
  func flush(_ more: [JournalRecord] = []) throws(Fault) {
    try state.withLock { (state) throws(Fault) in
      let records = state.pending + more
      if records.isEmpty { return }
      let file = try opened(&state.journal, JournalFiles.journal)
      try file.append(JournalForm.bytes(of: records))
      state.pending = []
      if isDurable { try file.sync() }
    }
  }

  /// Writes what was noted and closes the files, so that other machines see all of it.
  func close(_ more: [JournalRecord]) throws(Fault) {
    try flush(more)
    state.withLock { state in
      state.journal = nil
      state.partials = nil
    }
  }

  /// Writes a partial; its record must follow.
  func store(_ bytes: [UInt8]) throws(Fault) -> PartialPlace {
    let checksum = bytes.withUnsafeBytes { om_crc32c(0, $0.baseAddress, $0.count) }
    return try state.withLock { (state) throws(Fault) in
      let file = try opened(&state.partials, JournalFiles.partials)
      let offset = state.partialBytes
      try file.append(bytes)
      state.partialBytes += bytes.count
      if isDurable { try file.sync() }
      return PartialPlace(offset: offset, size: bytes.count, checksum: checksum)
    }
  }

  /// A file of this writer, made when it is needed first.
  private func opened(_ file: inout AppendedFile?, _ prefix: String) throws(Fault) -> AppendedFile {
    if let file { return file }
    let made = try folder.append(to: prefix + suffix)
    file = made
    return made
  }
}

/// The names of a journal and of its partials: `journal.<invocation>.<rank>`.
enum JournalFiles {
  static let journal = "journal."
  static let partials = "partials."
  /// More bytes than this are not read as a journal.
  static let largest = 4 << 30

  static func suffix(_ invocation: Int, _ rank: Int) -> String { "\(invocation).\(rank)" }

  /// The invocation that a file belongs to; nil for files of other names.
  static func invocation(of name: String) -> Int? {
    for prefix in [journal, partials] where name.hasPrefix(prefix) {
      let parts = name.dropFirst(prefix.count).split(
        separator: ".", omittingEmptySubsequences: false)
      // A name that nobody writes must not leave the numbers that there are.
      if parts.count == 2, UInt32(parts[1]) != nil { return UInt32(parts[0]).map(Int.init) }
    }
    return nil
  }
}
