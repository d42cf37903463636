import Glibc
import OMCodecs
import OMGrid
import OMJSON
package import OMRun
import OMStore
import OMZarr
import Synchronization

/// Writes and reads a volume in many layouts.
///
/// Files lie in the cache of the machine when they are read, so figures are those of a warm cache. Each
/// thread takes the next box when it is free; only what writing and reading takes is counted, every box
/// that was read is compared with what was written.
package struct LayoutBench: Sendable {
  /// What is written.
  package let volume: BenchVolume
  /// Threads.
  package let threads: Int
  /// The folder for files, which is made empty again.
  package let folder: String
  /// Seconds for each layout, after which nothing is repeated any more.
  package let patience: Double
  /// Ends it before its time.
  package let stop: StopSwitch

  /// How often everything is repeated at most.
  package static let mostRepeats = 5
  /// How many boxes and planes are read.
  static let boxes = 64
  static let planes = 8
  static let boxSide = 48

  /// Makes a benchmark.
  package init(
    volume: BenchVolume, threads: Int, folder: String, patience: Double, stop: StopSwitch
  ) {
    self.volume = volume
    self.threads = threads
    self.folder = folder
    self.patience = patience
    self.stop = stop
  }

  /// Measures one layout.
  ///
  /// - Throws: `internal` when something else was read than was written, the fault of a stop, and what
  ///   the disk says.
  package func run(_ choice: LayoutChoice) throws -> LayoutResult {
    let layout = try choice.layout(of: volume)
    var result = LayoutResult(choice: choice, shape: volume.shape)
    let start = clockSeconds()
    for repeated in 0..<Self.mostRepeats {
      // Three make a median; one is enough of what takes long.
      if repeated > 0 && clockSeconds() - start > patience { break }
      let outer = try OutputFolder(path: folder)
      defer { try? outer.removeTree("layout") }
      let place = try outer.makeFolder("layout")
      let stored = try write(layout, place)
      (result.storedBytes, result.files) = (stored.bytes, stored.files)
      result.add(.write, stored.time, bytes: volume.bytes.count)
      let array = try ZarrArray.open(try FileStore(root: place.path), path: "")
      for access in BenchAccess.reading {
        let boxes = boxes(of: access, layout)
        let time = try read(boxes, array)
        let bytes = boxes.reduce(0) { $0 + $1.count } * volume.dataType.byteCount
        result.add(access, time, bytes: bytes)
      }
      result.repeats = repeated + 1
    }
    return result
  }

  // MARK: - Writing

  private func write(
    _ layout: ArrayLayout, _ place: OutputFolder
  ) throws -> (bytes: Int, files: Int, time: BenchTime) {
    for (name, document) in layout.documents(attributes: [:]) {
      try place.write(name, document.bytes())
    }
    let units = layout.unitGrid
    let totals = Mutex((bytes: 0, files: 0))
    let time = try share(units.count) { number, worker in
      let position = units.position(of: number)
      let assembler = UnitAssembler(layout)
      let encoder = ChunkEncoder(
        layout.compression, chunkShape: layout.chunkShape, dataType: layout.dataType)
      assembler.begin()
      let grid = ChunkGrid(arrayShape: layout.writeUnitShape, cellShape: layout.chunkShape)
      var fault: Fault?
      forEachPosition(in: Region(wholeOf: grid.gridShape)) { cell in
        if fault != nil { return }
        let origin = position.indices.map {
          position[$0] * layout.writeUnitShape[$0] + cell[$0] * layout.chunkShape[$0]
        }
        let box = Region(origin: origin, shape: layout.chunkShape)
        guard volume.box.intersection(box) != nil, let raw = worker.cut(box, of: volume) else {
          return
        }
        do throws(Fault) {
          worker.encoded.removeAll()
          _ = try encoder.encode(raw, onto: worker.encoded, using: worker.codecs)
          assembler.add(chunkAt: cell, encoded: worker.encoded.bytes)
        } catch let problem { fault = problem }
      }
      if let fault { throw fault }
      guard let bytes = assembler.finish() else { return }
      try place.write(layout.unitKey(position), [bytes], writer: "\(number)")
      totals.withLock { $0 = ($0.bytes + bytes.count, $0.files + 1) }
    }
    let (bytes, files) = totals.withLock { $0 }
    return (bytes, files, time)
  }

  // MARK: - Reading

  private func boxes(of access: BenchAccess, _ layout: ArrayLayout) -> [Region] {
    let shape = volume.shape
    switch access {
    case .write: return []
    case .whole:
      return (0..<layout.unitGrid.count).map {
        layout.unitGrid.region(at: layout.unitGrid.position(of: $0))
      }
    case .boxes:
      return (0..<Self.boxes).map { number in
        let size = shape.map { min(Self.boxSide, $0) }
        let origin = shape.indices.map {
          Int(mixed(UInt64(3 * number + $0)) % UInt64(shape[$0] - size[$0] + 1))
        }
        return Region(origin: origin, shape: size)
      }
    case .planesZ, .planesY, .planesX:
      let axis = access == .planesZ ? 0 : access == .planesY ? 1 : 2
      let count = min(Self.planes, shape[axis])
      return (0..<count).map { number in
        var plane = volume.box
        (plane.origin[axis], plane.shape[axis]) = (
          (2 * number + 1) * shape[axis] / (2 * count), 1
        )
        return plane
      }
    }
  }

  private func read(_ boxes: [Region], _ array: ZarrArray) throws -> BenchTime {
    let size = volume.dataType.byteCount
    return try share(boxes.count) { number, worker in
      let box = boxes[number]
      let reader = worker.reader(of: array)
      let room = worker.read.replace(byteCount: box.count * size)
      guard let start = room.baseAddress else { return }
      try reader.read(box, into: start)
      worker.pause()
      if !worker.holds(volume, box) {
        throw Fault(.internal, array.path, "other voxels were read at \(box) than were written")
      }
    }
  }

  /// Does pieces on all threads; time counts from the begin of each piece to its end or pause.
  private func share(
    _ pieces: Int, _ body: @Sendable (Int, BenchWorker) throws -> Void
  ) throws -> BenchTime {
    let next = Atomic<Int>(0)
    let outcome = Mutex<(time: BenchTime, error: (any Error)?)>((BenchTime(), nil))
    inParallel(min(threads, max(1, pieces))) { _ in
      let worker = BenchWorker()
      do {
        while true {
          let piece = next.wrappingAdd(1, ordering: .relaxed).oldValue
          if piece >= pieces { break }
          try stop.check()
          worker.resume()
          try body(piece, worker)
          worker.pause()
        }
      } catch {
        next.store(pieces, ordering: .relaxed)
        outcome.withLock { if $0.error == nil { $0.error = error } }
      }
      outcome.withLock { $0.time.add(worker.time) }
    }
    let (time, error) = outcome.withLock { ($0.time, $0.error) }
    if let error { throw error }
    return time
  }
}

/// What one thread of a benchmark owns.
private final class BenchWorker {
  let codecs = CodecContext()
  let encoded = ByteBuffer()
  let read = ByteBuffer()
  private let raw = ByteBuffer()
  private var known: ChunkReader?
  private(set) var time = BenchTime()
  private var start: BenchTime?

  func resume() { start = BenchTime(seconds: clockSeconds(), cpu: threadSeconds()) }

  func pause() {
    guard let start else { return }
    time.seconds += clockSeconds() - start.seconds
    time.cpu += threadSeconds() - start.cpu
    self.start = nil
  }

  func reader(of array: ZarrArray) -> ChunkReader {
    if let known { return known }
    let reader = ChunkReader(array, context: codecs)
    known = reader
    return reader
  }

  /// A box of the volume with zeros around it.
  func cut(_ box: Region, of volume: BenchVolume) -> UnsafeRawPointer? {
    let size = volume.dataType.byteCount
    let room = raw.replace(byteCount: box.count * size)
    guard let start = room.baseAddress else { return nil }
    if !volume.box.contains(box) { room.initializeMemory(as: UInt8.self, repeating: 0) }
    volume.bytes.withUnsafeBytes { bytes in
      guard let voxels = bytes.baseAddress else { return }
      VoxelBox(region: box, start: start, elementByteCount: size).copy(from: voxels, volume.box)
    }
    return UnsafeRawPointer(start)
  }

  /// Whether a box that was read is that of the volume.
  func holds(_ volume: BenchVolume, _ box: Region) -> Bool {
    guard let expected = cut(box, of: volume), let found = read.bytes.baseAddress else {
      return false
    }
    return memcmp(expected, found, read.count) == 0
  }
}

/// How long something took.
package struct BenchTime: Sendable {
  /// Seconds of the thread that took longest.
  package var seconds = 0.0
  /// Seconds on processors, of all threads.
  package var cpu = 0.0

  init(seconds: Double = 0, cpu: Double = 0) {
    self.seconds = seconds
    self.cpu = cpu
  }

  /// Adds a thread that was at work at the same time.
  mutating func add(_ other: BenchTime) {
    seconds = max(seconds, other.seconds)
    cpu += other.cpu
  }
}
