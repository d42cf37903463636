import OMCodecs
package import OMGrid
import OMJSON
import OMStore

/// A box of an array that is visited later.
package struct ExpectedBox {
  /// The box.
  package let region: Region
  /// Whether a chunk that touches it is to be read; nil when all are.
  let isWanted: ((Region) -> Bool)?

  /// Makes a box.
  package init(_ region: Region, where isWanted: ((Region) -> Bool)? = nil) {
    self.region = region
    self.isWanted = isWanted
  }
}

/// What a reader asks a server for before its chunks are visited, so that requests are under way while
/// chunks are decoded and worked on.
///
/// Nothing is asked for that was not announced, and what does not fit the announcement is read as
/// everything else is. So it changes when bytes come, never which.
final class ReadAhead {
  /// Bytes that are under way or wait to be visited.
  private let window: Int
  /// Requests under way at once.
  fileprivate static let width = 8
  /// Chunks of a shard that lie close together come by one request: a gap costs less than a journey.
  private static let gap = 512 << 10
  /// The bytes of the first request for a shard, and of later ones, which double up to that.
  private static let reads = (first: 512 << 10, most: 2 << 20)

  private let array: ZarrArray
  private let encodedLimit: Int
  private var boxes: [ExpectedBox] = []
  /// Whole chunks, or the indexes of shards, by the number of the chunk or shard.
  private var values: FetchLine<Int, OpenedValue?>?
  /// The chunks of the shard in hand, by the number of the chunk in the array.
  private var groups: FetchLine<CellGroup, FetchedBytes>?
  private let pool = FetchedBytes.Pool()

  /// Chunks of a shard that come together.
  private struct CellGroup {
    let range: Range<Int>
    let numbers: [Int]
  }

  /// Makes one for a reader of an array.
  init(_ array: ZarrArray, encodedLimit: Int) {
    self.array = array
    self.encodedLimit = encodedLimit
    window = array.bytesAhead
  }

  /// Takes boxes in the order in which they will be visited.
  func expect(_ boxes: [ExpectedBox]) {
    self.boxes = boxes
    groups = nil
    values = line(storedNumbers(boxes))
  }

  /// Takes the box that is visited now, unless it was announced with others.
  func begin(_ box: ExpectedBox) {
    let numbers = storedNumbers([box])
    guard let first = numbers.first, values?.holds(first) != true else { return }
    boxes = [box]
    groups = nil
    values = line(numbers)
  }
}

extension ZarrArray {
  /// Bytes that a reader may ask a server for before they are visited; the chunk in hand counts.
  ///
  /// Larger chunks than that come alone, and no other is under way meanwhile.
  package var bytesAhead: Int {
    guard store.isRemote else { return 0 }
    let chunk = metadata.pipeline.maximumEncodedByteCount
    return max(8 << 20, chunk <= 32 << 20 ? 2 * chunk : 0)
  }

  /// Bytes that the requests of a reader take besides: what libcurl receives into, its state, and the stack
  /// of the thread that waits.
  package var requestBytes: Int { store.isRemote ? ReadAhead.width * (384 << 10) : 0 }
}

// MARK: - Stored chunks and shards

extension ReadAhead {
  /// What came for a stored chunk or a shard that was announced.
  struct Arrival {
    /// The chunk, or the shard with its index; nil when nothing is stored there.
    let value: OpenedValue?
  }

  /// A stored chunk, or a shard with its index; nil when it was not announced.
  ///
  /// - Throws: What opening it threw.
  func arrival(at position: [Int]) throws(Fault) -> Arrival? {
    guard let taken = try values?.take(array.storedGrid.number(at: position)) else { return nil }
    return Arrival(value: taken.value)
  }

  private func line(_ numbers: [Int]) -> FetchLine<Int, OpenedValue?> {
    let array = array
    let (count, part): (Int, ExpectedPart) =
      if let layout = array.metadata.sharding {
        (layout.index.encodedByteCount, layout.index.expectedPart)
      } else {
        (encodedLimit, .whole(atMost: encodedLimit))
      }
    // Of shards only the next one is opened: its chunks come when it is in hand.
    let limits = FetchLimits(
      count: array.metadata.isSharded ? 2 : Self.width, byteCount: window)
    return FetchLine(numbers, limits: limits, numbers: { [$0] }, size: { _ in count }) { number in
      Fetch { () throws(Fault) in
        let key = array.storedKey(array.storedGrid.position(of: number))
        return try array.store.open(key, expecting: part)
      }
    }
  }

  /// The numbers of the stored chunks or shards of some boxes, in the order of the visits.
  private func storedNumbers(_ boxes: [ExpectedBox]) -> [Int] {
    let grid = array.storedGrid
    let shape = array.metadata.storedChunkShape
    var seen: Set<Int> = []
    var numbers: [Int] = []
    for box in boxes {
      forEachPosition(in: grid.cells(touching: box.region)) { position in
        let stored = Region(origin: zip(position, shape).map { $0 * $1 }, shape: shape)
        if let isWanted = box.isWanted, !isWanted(stored) { return }
        let number = grid.number(at: position)
        if seen.insert(number).inserted { numbers.append(number) }
      }
    }
    return numbers
  }
}

// MARK: - Chunks of a shard

extension ReadAhead {
  /// The announced boxes that touch a shard.
  func boxes(of position: [Int]) -> [ExpectedBox] {
    let shape = array.metadata.storedChunkShape
    let shard = Region(origin: zip(position, shape).map { $0 * $1 }, shape: shape)
    return boxes.filter { shard.intersection($0.region) != nil }
  }

  /// Whether a chunk was announced and not passed over.
  func holds(_ cell: StoredCell) -> Bool { groups?.holds(number(cell)) ?? false }

  /// Takes the chunks of a shard that are visited next.
  ///
  /// - Parameters:
  ///   - cells: Those that are visited now.
  ///   - expected: Those of all boxes that were announced, box by box.
  ///   - value: The shard.
  func begin(_ cells: [StoredCell], among expected: [[StoredCell]], of value: OpenedValue) {
    var seen: Set<Int> = []
    let announced = expected.joined().filter { seen.insert(number($0)).inserted }
    let isAnnounced = cells.first.map { seen.contains(number($0)) } ?? false
    var rest = (isAnnounced ? announced : cells)[...]
    var found: [CellGroup] = []
    var most = Self.reads.first
    while !rest.isEmpty {
      let (group, range) = CellJoining(gap: Self.gap, most: most).next(rest)
      found.append(CellGroup(range: range, numbers: group.map(number)))
      rest = rest.dropFirst(group.count)
      most = min(2 * most, Self.reads.most)
    }
    let pool = pool
    groups = FetchLine(
      found, limits: FetchLimits(count: Self.width, byteCount: window), numbers: \.numbers,
      size: \.range.count
    ) { group in
      let bytes = pool.take(group.range.count)
      let start = group.range.lowerBound
      return Fetch { () throws(Fault) in
        try value.read(at: start, into: bytes.room, isAlone: true)
        return bytes
      }
    }
  }

  /// The bytes around a chunk; nil when it was not announced.
  ///
  /// - Returns: The bytes, where they lie in the shard, and whether they are taken for the first time.
  /// - Throws: What reading them threw.
  func take(
    _ cell: StoredCell
  ) throws(Fault) -> (range: Range<Int>, bytes: FetchedBytes, isNew: Bool)? {
    guard let group = try groups?.take(number(cell)) else { return nil }
    return (group.item.range, group.value, group.isNew)
  }

  private func number(_ cell: StoredCell) -> Int {
    let grid = array.readableGrid
    return grid.number(at: zip(cell.region.origin, grid.cellShape).map { $0 / $1 })
  }
}
