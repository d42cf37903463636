import OMJSON
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
