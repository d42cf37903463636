import OMCodecs
import OMGrid
import OMImage
import OMJSON
import OMStore
import OMTiff
import OMZarr
import Synchronization

/// Writes the pages of an OME-TIFF: some planes and rows at once, compressed by all threads, put into the file
/// in one order whatever their number.
struct TiffWriting: Sendable {
  let source: TiffSource
  let form: WrittenTiff
  let file: PlacedFile

  /// Planes and rows that are read at once.
  private struct Slab: Sendable {
    let t: Int
    let c: Int
    let z: Range<Int>
    /// Rows of tiles or strips.
    let rows: Range<Int>
  }

  /// A compressed tile or strip.
  private struct Part: Sendable {
    let page: Int
    let number: Int
    let bytes: [UInt8]
  }

  /// Bytes of voxels that a thread holds at once, if a single row of parts does not take more.
  private static let most = 64 << 20

  /// Writes all of it.
  ///
  /// - Parameters:
  ///   - description: What the first page says of all.
  ///   - threads: Worker threads.
  /// - Returns: The bytes of the file.
  /// - Throws: What reading and writing throw.
  func run(_ description: [UInt8], threads: Int) throws(Fault) -> Int {
    let slabs = slabs()
    let parts = form.grid.rows * form.grid.columns
    var offsets = [Int](repeating: 0, count: parts * form.pageCount)
    var counts = offsets
    var end = form.headerBytes
    let engine = ThreadEngine(threads: threads)
    let step = max(1, threads)
    for start in stride(from: 0, to: slabs.count, by: step) {
      let batch = slabs[start..<min(start + step, slabs.count)]
      let made = try compressed(Array(batch), engine)
      for part in made.joined() {
        try write(part.bytes, at: end)
        offsets[part.page * parts + part.number] = end
        counts[part.page * parts + part.number] = part.bytes.count
        end += part.bytes.count
      }
    }
    end += end % 2
    let first = end
    for page in 0..<form.pageCount {
      let own = page * parts..<(page + 1) * parts
      let bytes = form.directory(
        at: end, offsets: Array(offsets[own]), counts: Array(counts[own]),
        description: page == 0 ? description : nil, isLast: page == form.pageCount - 1)
      try write(bytes, at: end)
      end += bytes.count
    }
    try write(form.header(firstDirectory: first), at: 0)
    return end
  }

  private func write(_ bytes: [UInt8], at place: Int) throws(Fault) {
    try bytes.withUnsafeBufferPointer { (buffer) throws(Fault) in
      try file.write(UnsafeRawBufferPointer(buffer), at: place)
    }
  }

  /// The work, in the order of the file.
  private func slabs() -> [Slab] {
    let rowBytes = form.page.width * form.dataType.byteCount * form.part.height
    // As many rows of parts as a chunk has, and as many planes, if memory allows.
    var rows = max(1, (source.chunk("y") + form.part.height - 1) / form.part.height)
    rows = max(1, min(rows, Self.most / max(1, rowBytes)))
    let layers = max(1, min(source.chunk("z"), Self.most / max(1, rowBytes * rows)))
    var slabs: [Slab] = []
    for t in 0..<source.size("t") {
      for c in 0..<source.size("c") {
        var z = 0
        while z < source.size("z") {
          // Up to the next border of chunks.
          let place = source.origin("z") + z
          let next = min(
            source.size("z"), z + layers - (layers == source.chunk("z") ? place % layers : 0))
          for row in stride(from: 0, to: form.grid.rows, by: rows) {
            slabs.append(
              Slab(t: t, c: c, z: z..<next, rows: row..<min(row + rows, form.grid.rows)))
          }
          z = next
        }
      }
    }
    return slabs
  }

  private func compressed(
    _ slabs: [Slab], _ engine: ThreadEngine
  ) throws(Fault) -> [[Part]] {
    let results = SlabResults(count: slabs.count)
    do {
      try engine.walk(slabs.count) { number, worker in
        results.set(number, try parts(of: slabs[number], worker))
      }
    } catch {
      throw source.image.location.naming(Fault(wrapping: error))
    }
    return results.all
  }

  /// The tiles or strips of a slab.
  private func parts(of slab: Slab, _ worker: Worker) throws -> [Part] {
    let (height, width) = form.part
    let top = slab.rows.lowerBound * height
    let rows = min(slab.rows.upperBound * height, form.page.height) - top
    let item = form.dataType.byteCount
    let rowBytes = form.page.width * item
    let voxels = worker.voxels.replace(byteCount: slab.z.count * rows * rowBytes)
    guard let start = voxels.baseAddress else { return [] }
    try worker.reader(of: source.array, damage: nil).read(
      source.region(t: slab.t, c: slab.c, z: slab.z, y: top..<top + rows), into: start)
    var parts: [Part] = []
    for (layer, z) in slab.z.enumerated() {
      let page = (slab.t * source.size("c") + slab.c) * source.size("z") + z
      for row in slab.rows {
        for column in 0..<form.grid.columns {
          let partRows = form.rows(row)
          let room = worker.chunk.replace(byteCount: partRows * width * item)
          guard let part = room.baseAddress else { continue }
          let first = row * height - top
          let used = (
            rows: min(partRows, rows - first),
            bytes: min(width, form.page.width - column * width) * item
          )
          if used.rows < partRows || used.bytes < width * item {
            room.initializeMemory(as: UInt8.self, repeating: 0)
          }
          for line in 0..<used.rows {
            let from = ((layer * rows + first + line) * form.page.width + column * width) * item
            (part + line * width * item).copyMemory(from: start + from, byteCount: used.bytes)
          }
          let encoder = ChunkEncoder(
            form.compression.codec, chunkShape: [partRows, width], dataType: form.dataType)
          worker.encoded.removeAll()
          _ = try encoder.encode(part, onto: worker.encoded, using: worker.codecs)
          parts.append(
            Part(
              page: page, number: row * form.grid.columns + column,
              bytes: Array(worker.encoded.bytes)))
        }
      }
    }
    return parts
  }

  /// What the threads of a batch made.
  private final class SlabResults: Sendable {
    private let parts: Mutex<[[Part]]>

    init(count: Int) { parts = Mutex(Array(repeating: [], count: count)) }

    func set(_ number: Int, _ made: [Part]) { parts.withLock { $0[number] = made } }

    var all: [[Part]] { parts.withLock { $0 } }
  }
}

extension WrittenTiff.Compression {
  /// The same as we call it for chunks.
  fileprivate var codec: Compression {
    switch self {
    case .none: .none
    case .deflate: .zlib(level: 3)
    case .zstd: .zstd(level: 3)
    }
  }
}
