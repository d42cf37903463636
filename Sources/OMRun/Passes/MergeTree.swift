import OMJSON
import OMObjects

/// The tree of ranks in which they join their open components.
///
/// All calls are *collective*.
struct MergeTree {
  /// The join of this rank's own blocks.
  let own: GroupMerge
  /// The joins with the ranks below, in the order in which they were made.
  private var joins: [(child: Int, merge: GroupMerge)] = []
  private let communicator: any Communicator
  private static let tag: Int32 = 11

  init(
    _ own: GroupMerge, _ grid: BlockGrid, _ order: Int, _ communicator: any Communicator
  ) throws(Fault) {
    self.own = own
    self.communicator = communicator
    var open = own.open
    for child in children {
      var reader = PacketReader(try communicator.receive(from: child, tag: MergeTree.tag))
      let merge = GroupMerge([open, try OpenGroup(&reader)], in: grid, order: order)
      open = merge.open
      joins.append((child, merge))
    }
    if let parent {
      var packet = Packet()
      open.write(to: &packet)
      try communicator.send(packet.bytes, to: parent, tag: MergeTree.tag)
    }
  }

  private var children: [Int] { RankTree(communicator).children }
  private var parent: Int? { RankTree(communicator).parent }

  /// The final facts of this rank's joined components.
  func finalFacts() throws(Fault) -> [ComponentFacts] {
    // What is open at the root has no neighbour that was processed: it is final as it is.
    var final = joins.last?.merge.open.components ?? own.open.components
    if let parent { final = try receive(parent) }
    for (child, merge) in joins.reversed() {
      let resolved = merge.resolvedFacts(final)
      try send(merge.joined(1).map { resolved[Int($0)] }, to: child)
      final = merge.joined(0).map { resolved[Int($0)] }
    }
    return own.resolvedFacts(final)
  }

  /// Gives a value that one rank knows of a joined component to all ranks that share it.
  ///
  /// - Parameter values: For each joined component of this rank its value, 0 where it is unknown.
  /// - Throws: What the communicator throws.
  func spread(_ values: inout [UInt64]) throws(Fault) {
    var open = own.openValues(values)
    var below: [[UInt64]] = []
    for (child, merge) in joins {
      var all = [UInt64](repeating: 0, count: merge.componentCount)
      for (place, joined) in merge.joined(0).enumerated() { all[Int(joined)] |= open[place] }
      let theirs: [UInt64] = try receive(child)
      // Only one rank knows a value, so the union of bits is that value.
      for (place, joined) in merge.joined(1).enumerated() { all[Int(joined)] |= theirs[place] }
      below.append(all)
      open = merge.openValues(all)
    }
    if let parent {
      try send(open, to: parent)
      open = try receive(parent)
    }
    for (index, (child, merge)) in joins.enumerated().reversed() {
      merge.takeOpenValues(open, into: &below[index])
      try send(merge.joined(1).map { below[index][Int($0)] }, to: child)
      open = merge.joined(0).map { below[index][Int($0)] }
    }
    own.takeOpenValues(open, into: &values)
  }

  private func send<Value: BitwiseCopyable>(_ values: [Value], to rank: Int) throws(Fault) {
    var packet = Packet()
    packet.write(values)
    try communicator.send(packet.bytes, to: rank, tag: MergeTree.tag)
  }

  private func receive<Value: BitwiseCopyable>(_ rank: Int) throws(Fault) -> [Value] {
    var reader = PacketReader(try communicator.receive(from: rank, tag: MergeTree.tag))
    return try reader.readArray(Value.self)
  }
}

extension OpenGroup {
  /// Adds the group to a message.
  func write(to packet: inout Packet) {
    packet.write(components)
    packet.write(UInt64(surfaces.count))
    for surface in surfaces {
      packet.write(surface.block)
      packet.write(surface.outside)
      packet.write(surface.runs)
      packet.write(surface.objects)
    }
  }

  /// Reads what `write` wrote.
  init(_ reader: inout PacketReader) throws(Fault) {
    let components = try reader.readArray(ComponentFacts.self)
    let count = try reader.read(UInt64.self)
    var surfaces: [BlockSurface] = []
    for _ in 0..<count {
      let block = try reader.read(Block.self)
      let outside = try reader.read(UInt32.self)
      surfaces.append(
        BlockSurface(
          block: block, outside: outside, runs: try reader.readArray(SurfaceRun.self),
          objects: try reader.readArray(UInt32.self)))
    }
    self.init(surfaces: surfaces, components: components)
  }
}
