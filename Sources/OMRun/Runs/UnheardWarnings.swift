import OMJSON
import Synchronization

/// Warnings of ranks that have nobody to tell them to; the first rank tells them at the end.
final class UnheardWarnings: Sendable {
  private let texts = Mutex<[String]>([])

  /// Keeps a warning.
  func add(_ text: String) { texts.withLock { $0.append(text) } }

  /// The warnings that were kept, on rank 0 those of all ranks; none are kept any more.
  ///
  /// *Collective*.
  func gathered(_ engine: any Engine) throws(Fault) -> [String] {
    let own = texts.withLock { texts in
      defer { texts = [] }
      return texts
    }
    if engine.rankCount == 1 { return own }
    var all: [String] = []
    let bytes = JSON.array(own.map(JSON.string)).bytes()
    for bytes in try engine.communicator.gatherAll(bytes) {
      let list = try JSON(parsing: bytes, subject: "the warnings of a rank")
      all += (list.arrayValue ?? []).compactMap(\.stringValue)
    }
    return engine.rank == 0 ? all : []
  }
}
