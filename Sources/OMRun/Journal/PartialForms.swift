import OMGrid
import OMJSON
import OMManifest
import OMObjects
import OMTask

// Partials of passes as bytes, for journals. What was written by another version is found again.

extension StatisticsTable {
  /// The table as bytes.
  func packed() -> [UInt8] {
    var packet = Packet()
    pack(into: &packet)
    return packet.bytes
  }

  /// Reads what `packed` wrote.
  init(unpacking bytes: [UInt8]) throws(Fault) {
    self.init()
    var reader = PacketReader(bytes)
    try add(from: &reader)
  }
}

extension RegionObjects {
  /// The objects of a region as bytes.
  func packed() -> [UInt8] {
    var packet = Packet()
    packet.write(Int64(counts.processed))
    packet.write(Int64(counts.foreground))
    packet.write(statistics != nil)
    packet.write(statistics?.packed() ?? [])
    packet.write(UInt64(blocks.count))
    for block in blocks {
      packet.write(block.block)
      packet.write(block.rowStarts)
      packet.write(block.runs)
      packet.write(block.firstVoxels)
      packet.write(block.counts)
      packet.write(block.touchesBorder)
      packet.write(block.surroundings)
      packet.write(block.labels)
      packet.write(block.outerRuns)
    }
    return packet.bytes
  }

  /// Reads what `packed` wrote; the choices are left out.
  ///
  /// - Throws: A fault when the bytes hold no objects.
  init(unpacking bytes: [UInt8]) throws(Fault) {
    var reader = PacketReader(bytes)
    counts.processed = Int(try reader.read(Int64.self))
    counts.foreground = Int(try reader.read(Int64.self))
    let hasStatistics = try reader.read(Bool.self)
    let table = try reader.readBytes()
    if hasStatistics { statistics = try StatisticsTable(unpacking: table) }
    for _ in 0..<(try reader.read(UInt64.self)) {
      let block = LabelledBlock(
        restoring: try reader.read(Block.self), rowStarts: try reader.readArray(UInt32.self),
        runs: try reader.readArray(Run.self), firstVoxels: try reader.readArray(UInt32.self),
        counts: try reader.readArray(UInt32.self),
        touchesBorder: try reader.readArray(Bool.self),
        surroundings: try reader.readArray(Surroundings.self),
        labels: try reader.readArray(UInt64.self),
        outerRuns: try reader.readArray(SurfaceRun.self))
      guard let block else {
        throw Fault(.internal, "", "a block of objects does not fit together")
      }
      blocks.append(block)
    }
  }
}

extension [FoundRows] {
  /// The parts as bytes.
  func packed() -> [UInt8] {
    var packet = Packet()
    pack(into: &packet)
    return packet.bytes
  }

  /// Writes the parts with their number.
  func pack(into packet: inout Packet) {
    packet.write(UInt64(count))
    for part in self {
      packet.write(Int64(part.time))
      packet.write(part.origin)
      for column in part.columns { packet.write(column) }
    }
  }

  /// Reads what `packed` wrote.
  ///
  /// - Throws: A fault when the bytes hold no parts of such a table.
  init(unpacking bytes: [UInt8], _ traits: PartialTraits) throws(Fault) {
    var reader = PacketReader(bytes)
    try self.init(&reader, traits)
    if !reader.isAtEnd { throw Fault(.internal, "", "rows of a table are longer than they say") }
  }

  fileprivate init(_ reader: inout PacketReader, _ traits: PartialTraits) throws(Fault) {
    self = []
    for _ in 0..<(try reader.read(UInt64.self)) {
      let time = try reader.readCount()
      let origin = try reader.read(Vector3.self)
      var columns: [TableColumn.Values] = []
      for column in traits.columns { columns.append(try reader.readColumn(column.type)) }
      if Set(columns.map(\.count)).count != 1 {
        throw Fault(.internal, "", "rows of a table do not fit together")
      }
      append(FoundRows(time: time, origin: origin, columns: columns))
    }
  }
}

extension PartialTable {
  /// What was found as bytes.
  func packed() -> [UInt8] {
    var packet = Packet()
    packet.write(UInt64(pieces))
    parts.pack(into: &packet)
    return packet.bytes
  }

  /// Adds what another rank packed.
  ///
  /// - Throws: A fault when the bytes hold no such table, and what adding throws.
  mutating func add(packed bytes: [UInt8]) throws(Fault) {
    var reader = PacketReader(bytes)
    pieces += try reader.readCount()
    for part in try [FoundRows](&reader, traits) { try add(part) }
  }
}

extension Packet {
  /// Adds the values of a column.
  fileprivate mutating func write(_ column: TableColumn.Values) {
    switch column {
    case .int64(let values): write(values)
    case .uint64(let values): write(values)
    case .float64(let values): write(values)
    case .bool(let values): write(values)
    case .string(let texts):
      write(texts.map { UInt32($0.utf8.count) })
      write(texts.flatMap { Array($0.utf8) })
    }
  }
}

extension PacketReader {
  /// Reads the values of a column.
  fileprivate mutating func readColumn(
    _ type: PartialTraits.ColumnType
  ) throws(Fault) -> TableColumn.Values {
    switch type {
    case .int64: return .int64(try readArray(Int64.self))
    case .float64: return .float64(try readArray(Double.self))
    case .bool: return .bool(try readArray(Bool.self))
    case .string:
      let sizes = try readArray(UInt32.self).map(Int.init)
      let bytes = try readBytes()
      var (texts, start): ([String], Int) = ([], 0)
      for size in sizes {
        guard size <= bytes.count - start else {
          throw Fault(.internal, "", "texts of a table are shorter than they say")
        }
        texts.append(String(decoding: bytes[start..<start + size], as: UTF8.self))
        start += size
      }
      return .string(texts)
    }
  }
}

extension ObjectSums {
  /// The sums as bytes.
  func packed() -> [UInt8] {
    var packet = Packet()
    packet.write(UInt64(regions))
    packet.write(labels)
    packet.write(times)
    packet.write(words)
    packet.write(counts.keys)
    packet.write(counts.counts)
    return packet.bytes
  }

  /// Reads what `packed` wrote.
  ///
  /// - Throws: A fault when the bytes hold no sums of this layout.
  init(_ layout: SumsLayout, unpacking bytes: [UInt8]) throws(Fault) {
    var reader = PacketReader(bytes)
    let regions = try reader.readCount()
    try self.init(
      layout, labels: try reader.readArray(UInt64.self), times: try reader.readArray(UInt32.self),
      words: try reader.readArray(UInt64.self))
    self.regions = regions
    let (keys, counts) = (try reader.readArray(UInt64.self), try reader.readArray(UInt64.self))
    guard let known = ValueCounts(keys: keys, counts: counts),
      keys.last.map({ Int($0 >> 16) < count * max(1, layout.channels) }) ?? true
    else { throw Fault(.internal, "", "counts of values do not fit their objects") }
    self.counts = known
  }
}
