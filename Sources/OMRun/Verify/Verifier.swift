import OMCodecs
import OMGrid
package import OMImage
import OMJSON
import OMStore
package import OMZarr

/// How `verify` works.
package struct VerifyOptions: Sendable {
  /// Worker threads.
  package var threads = 1
  /// Bytes that the process may use.
  package var memory = 2 << 30
  /// Whether what can be repaired without touching data is.
  package var repairs = false

  /// Makes the default options.
  package init() {}
}

/// Reads everything of arrays, images and plates, and notes what is damaged.
///
/// Metadata are read by the calling thread, chunks by all threads; nothing stops it but a signal.
package final class Verifier {
  let options: VerifyOptions
  private let engine: ThreadEngine
  let log = VerifyLog()
  private var pending: [(array: ZarrArray, position: [Int])] = []
  private var bytesPerWorker = 0

  /// Stored chunks that are gathered before the threads begin.
  private static let batch = 4096

  /// Makes a verifier.
  package init(_ options: VerifyOptions) {
    self.options = options
    engine = ThreadEngine(threads: options.threads)
  }

  /// What was found so far.
  package var report: VerifyReport { log.report }

  /// Verifies a single array.
  package func verify(_ array: ZarrArray) {
    gather(array)
    finish()
    check(array.store, below: array.path)
  }

  /// Verifies all images of a URI, and what the groups above them say.
  package func verify(_ source: ImageSource) {
    for item in source.items {
      if let fault = item.fault { log.problem(fault) }
    }
    for warning in source.warnings { log.remark("", warning) }
    let locations = source.items.filter { $0.fault == nil }.map(\.location)
    var copies = ConsolidatedCheck(self)
    for location in locations {
      var image = ImageCheck(self, location)
      image.run()
      copies.add(location, nodes: image.nodes)
    }
    finish()
    copies.run()
    if let first = source.items.first?.location { check(first.store, below: source.path) }
  }

  /// Checks the archive that something lies in.
  private func check(_ store: any Store, below key: String) {
    if let archive = store as? ZipStore { ArchiveCheck(self, archive, below: key).run() }
  }

  /// Does pieces of work on all threads; only a signal ends it before its time.
  func walk(_ count: Int, _ body: @Sendable (Int) -> Void) {
    try? engine.walk(count) { number, _ in body(number) }
  }
}

// MARK: - Chunks

extension Verifier {
  /// Looks at everything below an array; its chunks are read as soon as enough are known.
  func gather(_ array: ZarrArray) {
    let pipeline = array.metadata.pipeline
    let root = array.store.description
    if pipeline.decodedByteCount > options.memory / 4 {
      return log.problem(
        Fault(
          .limit, array.path,
          "a chunk decodes to \(pipeline.decodedByteCount) bytes, the limit is a quarter of the "
            + "memory, \(options.memory / 4) bytes", hint: "give more with --memory"
        ).below(root))
    }
    log.note {
      $0.arrays += 1
      $0.absent += array.readableGrid.count
    }
    // Encoded, decoded, and two steps of codecs between them.
    bytesPerWorker = max(bytesPerWorker, 4 * pipeline.maximumEncodedByteCount)
    let walk = ArrayWalk(array)
    walk.run(
      chunk: { position in
        pending.append((array, position))
        if pending.count >= Self.batch { finish() }
      }, stray: { key in log.remark(joinedKey(root, key), "belongs to no chunk of the array") },
      fault: { log.problem($0.below(root)) })
  }

  /// Reads the chunks that were gathered.
  func finish() {
    let units = pending
    pending = []
    let most = max(1, options.memory / max(1, bytesPerWorker))
    bytesPerWorker = 0
    // The body never throws: whatever is wrong with a chunk is a finding.
    let log = log
    try? engine.walk(units.count, most: most) { number, worker in
      let (array, position) = units[number]
      let reader = ChunkReader(array, context: worker.codecs)
      if let result = reader.check(position) { log.add(result, array) }
    }
  }
}
