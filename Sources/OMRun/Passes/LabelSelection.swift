import OMJSON
import OMTask

/// Decides which labels stay and which numbers they get, over all ranks.
///
/// Each rank decides for a range of labels, so no rank holds all of them, and numbers follow the order of
/// labels. Every call is *collective*.
struct LabelSelection {
  let filter: LabelFilter
  let communicator: any Communicator

  /// What became of labels.
  struct Result {
    /// For each label of this rank that stays its number.
    var numbers: [LabelKey: UInt64] = [:]
    /// How many numbers there are in the whole image.
    var count = 0
    /// The largest of them.
    var largest: UInt64 = 0
  }

  /// So many labels of each rank stand for all of them when ranges are chosen.
  private static let samples = 256

  /// Decides.
  ///
  /// - Parameter table: The labels of this rank's regions.
  /// - Returns: The numbers.
  /// - Throws: What the communicator throws.
  func run(_ table: LabelTable) throws(Fault) -> Result {
    let keys = table.labels.keys.sorted()
    let splitters = try splitters(keys)
    var outgoing = Array(repeating: Packet(), count: communicator.size)
    var sent = Array(repeating: [LabelKey](), count: communicator.size)
    for key in keys { sent[owner(of: key.label, splitters)].append(key) }
    for (rank, keys) in sent.enumerated() {
      outgoing[rank].write(keys.map(\.label))
      outgoing[rank].write(keys.map(\.volume))
      outgoing[rank].write(keys.map { table.labels[$0]?.count ?? 0 })
      outgoing[rank].write(keys.map { UInt8(table.labels[$0]?.touchesBorder == true ? 1 : 0) })
    }
    var asked: [[LabelKey]] = []
    var own: [LabelKey: LabelFactsPart] = [:]
    for bytes in try communicator.exchange(outgoing.map(\.bytes)) {
      var reader = PacketReader(bytes)
      let labels = try reader.readArray(UInt64.self)
      let volumes = try reader.readArray(UInt64.self)
      let counts = try reader.readArray(UInt64.self)
      let touches = try reader.readArray(UInt8.self)
      asked.append(labels.indices.map { LabelKey(label: labels[$0], volume: volumes[$0]) })
      for (index, key) in asked[asked.count - 1].enumerated() {
        own[key, default: LabelFactsPart()].join(
          LabelFactsPart(count: counts[index], touchesBorder: touches[index] != 0))
      }
    }
    var kept = own.filter { keeps($0.value) }.mapValues(\.count)
    if let most = filter.largest { kept = try largest(most, of: kept) }
    var result = Result()
    let numbers = try number(kept, &result)
    let replies = asked.map { keys in
      var packet = Packet()
      packet.write(keys.map { kept[$0] == nil ? 0 : numbers[$0.label] ?? 0 })
      return packet.bytes
    }
    for (keys, bytes) in zip(sent, try communicator.exchange(replies)) {
      var reader = PacketReader(bytes)
      for (key, number) in zip(keys, try reader.readArray(UInt64.self)) where number != 0 {
        result.numbers[key] = number
      }
    }
    return result
  }

  private func keeps(_ facts: LabelFactsPart) -> Bool {
    if filter.border != nil && facts.touchesBorder { return false }
    if let least = filter.minimumSize, facts.count < UInt64(max(0, least)) { return false }
    if let most = filter.maximumSize, facts.count > UInt64(max(0, most)) { return false }
    return true
  }

  /// The first label of each rank's range but the first, the same on every rank.
  private func splitters(_ keys: [LabelKey]) throws(Fault) -> [UInt64] {
    var packet = Packet()
    let step = max(1, keys.count / Self.samples)
    packet.write(stride(from: 0, to: keys.count, by: step).map { keys[$0].label })
    var all: [UInt64] = []
    for bytes in try communicator.gatherAll(packet.bytes) {
      var reader = PacketReader(bytes)
      all += try reader.readArray(UInt64.self)
    }
    if all.isEmpty { return [] }
    all.sort()
    return (1..<max(1, communicator.size)).map { all[$0 * all.count / communicator.size] }
  }

  private func owner(of label: UInt64, _ splitters: [UInt64]) -> Int {
    splitters.firstIndex { label < $0 } ?? splitters.count
  }

  /// The labels of most voxels in every volume.
  private func largest(
    _ most: Int, of kept: [LabelKey: UInt64]
  ) throws(Fault) -> [LabelKey: UInt64] {
    var packet = Packet()
    for volume in Dictionary(grouping: kept, by: \.key.volume).values {
      for (key, count) in volume.sorted(by: Self.isLarger).prefix(most) {
        packet.write(key)
        packet.write(count)
      }
    }
    var all: [(key: LabelKey, value: UInt64)] = []
    for bytes in try communicator.gatherAll(packet.bytes) {
      var reader = PacketReader(bytes)
      while !reader.isAtEnd {
        all.append((try reader.read(LabelKey.self), try reader.read(UInt64.self)))
      }
    }
    var chosen: [LabelKey: UInt64] = [:]
    for volume in Dictionary(grouping: all, by: \.key.volume).values {
      for (key, count) in volume.sorted(by: Self.isLarger).prefix(most) where kept[key] != nil {
        chosen[key] = count
      }
    }
    return chosen
  }

  private static func isLarger(
    _ one: (key: LabelKey, value: UInt64), _ other: (key: LabelKey, value: UInt64)
  ) -> Bool {
    one.value != other.value ? one.value > other.value : one.key < other.key
  }

  /// The numbers of this rank's labels that stay.
  private func number(
    _ kept: [LabelKey: UInt64], _ result: inout Result
  ) throws(Fault) -> [UInt64: UInt64] {
    let labels = Set(kept.keys.map(\.label)).sorted()
    var packet = Packet()
    packet.write(UInt64(labels.count))
    packet.write(labels.last ?? 0)
    var before = 0
    for (rank, bytes) in try communicator.gatherAll(packet.bytes).enumerated() {
      var reader = PacketReader(bytes)
      let count = Int(try reader.read(UInt64.self))
      let last = try reader.read(UInt64.self)
      if rank < communicator.rank { before += count }
      result.count += count
      result.largest = max(result.largest, last)
    }
    if filter.relabels { result.largest = UInt64(result.count) }
    var numbers: [UInt64: UInt64] = [:]
    for (index, label) in labels.enumerated() {
      numbers[label] = filter.relabels ? UInt64(before + index + 1) : label
    }
    return numbers
  }
}
