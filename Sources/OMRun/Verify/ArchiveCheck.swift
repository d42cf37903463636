import OMImage
import OMJSON
import OMStore
import Synchronization

/// Checks an archive as such: the CRC-32 of every entry, its headers, and what RFC-9 wants.
struct ArchiveCheck {
  private let verifier: Verifier
  private let archive: ZipStore
  private let prefix: String

  /// Checks all entries below a key.
  init(_ verifier: Verifier, _ archive: ZipStore, below key: String) {
    self.verifier = verifier
    self.archive = archive
    prefix = key.isEmpty ? "" : key + "/"
  }

  /// Reads everything; what chunks have shown already is not told twice.
  func run() {
    let (archive, log) = (archive, verifier.log)
    let numbers = (0..<archive.count).filter { archive.key($0).hasPrefix(prefix) }
    let headers = CountedHeaders()
    verifier.walk(numbers.count) { index in
      let number = numbers[index]
      do throws(Fault) {
        headers.add(try archive.looksOfHeader(number))
        try archive.forEachPiece(of: number) { (_) throws(Fault) in }
      } catch {
        let fault = error.below(archive.root)
        if !log.knows(fault.subject) { log.problem(fault) }
      }
    }
    log.note { $0.entries += numbers.count }
    for remark in archive.remarks { log.remark(archive.root, remark.text) }
    let (narrow, foreign) = headers.counts
    if narrow > 0 {
      log.remark(
        archive.root,
        "\(narrow) of \(numbers.count) entries have no ZIP64 fields, RFC-9 wants them always")
    }
    if foreign > 0 {
      log.remark(
        archive.root, "there are \(foreign) extra fields in local headers that RFC-9 does not know")
    }
  }
}

/// Counts what is seen in headers, from any thread.
private final class CountedHeaders: Sendable {
  private let found = Mutex((narrow: 0, foreign: 0))

  func add(_ header: (isWide: Bool, foreignExtras: Int)) {
    found.withLock {
      $0.narrow += header.isWide ? 0 : 1
      $0.foreign += header.foreignExtras
    }
  }

  /// Entries without ZIP64 fields, and extra fields that RFC-9 does not know.
  var counts: (narrow: Int, foreign: Int) { found.withLock { $0 } }
}
