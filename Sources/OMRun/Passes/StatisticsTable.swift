import OMJSON
import OMTask

/// The merged statistics of the scopes of one label image.
///
/// Scopes are kept in their byte form, which is cut to the values that occur: an image may have
/// thousands of planes.
struct StatisticsTable: Sendable {
  private var scopes: [Int: [UInt8]] = [:]

  /// Whether the voxels must be visited once more, for their counts within the range.
  private(set) var needsSecondPass = false

  /// Makes an empty table.
  init() {}

  /// The numbers of the scopes, ascending.
  var numbers: [Int] { scopes.keys.sorted() }

  /// The statistics of a scope, or nil when none of its voxels was added.
  func statistics(of number: Int) throws(Fault) -> VoxelStatistics? {
    guard let bytes = scopes[number] else { return nil }
    return try VoxelStatistics(encoded: bytes)
  }

  /// The same statistics under other numbers; scopes without one are left out.
  func renumbered(_ number: (Int) -> Int?) throws(Fault) -> StatisticsTable {
    var table = StatisticsTable()
    for known in numbers {
      guard let other = number(known), let statistics = try statistics(of: known) else { continue }
      try table.add(other, statistics)
    }
    return table
  }

  /// Merges statistics into a scope.
  mutating func add(_ number: Int, _ statistics: VoxelStatistics) throws(Fault) {
    needsSecondPass = statistics.needsSecondPass
    guard var known = try self.statistics(of: number) else {
      scopes[number] = statistics.encoded()
      return
    }
    try known.merge(statistics)
    scopes[number] = known.encoded()
  }

  /// Merges another table.
  mutating func add(_ other: StatisticsTable) throws(Fault) {
    for number in other.numbers {
      if let statistics = try other.statistics(of: number) { try add(number, statistics) }
    }
  }

  /// Merges the tables of all ranks; every rank gets the same one.
  ///
  /// *Collective*.
  func merged(_ communicator: any Communicator) throws(Fault) -> StatisticsTable {
    if communicator.size == 1 { return self }
    var packet = Packet()
    pack(into: &packet)
    var table = StatisticsTable()
    for bytes in try communicator.gatherAll(packet.bytes) {
      var reader = PacketReader(bytes)
      try table.add(from: &reader)
    }
    return table
  }

  /// Adds the table to a message.
  func pack(into packet: inout Packet) {
    for number in numbers {
      packet.write(UInt64(number))
      packet.write(scopes[number] ?? [])
    }
  }

  /// Merges the table that is left of a message.
  mutating func add(from reader: inout PacketReader) throws(Fault) {
    while !reader.isAtEnd {
      let number = try reader.readCount()
      try add(number, VoxelStatistics(encoded: try reader.readBytes()))
    }
  }
}
