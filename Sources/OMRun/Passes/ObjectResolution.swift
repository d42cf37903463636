import OMCodecs
import OMGrid
import OMJSON
import OMObjects
import OMTask
import OMZarr

/// Joins the components of all regions and ranks into objects and numbers them.
///
/// Pieces of an object meet in a binary tree over the ranks: going up, each rank sends only what
/// is still open at its surface; coming down, it gets the final facts. Numbers follow the raster
/// order of first voxels; each layer of blocks is counted by one rank. So no rank ever holds all
/// components of an image. Every call is *collective*.
struct ObjectResolution {
  let grid: BlockGrid
  let rules: ObjectRules
  /// In how many coordinates voxels of two blocks may differ that make their components one; 0
  /// ends every component with its block.
  let order: Int
  let communicator: any Communicator

  /// Finds the number of every component of the given blocks.
  ///
  /// - Parameters:
  ///   - blocks: The labelled blocks of this rank; they get their `numbers`.
  ///   - openings: The surfaces of these blocks.
  /// - Returns: The number of objects in the whole label image.
  /// - Throws: What the communicator throws.
  func resolve(_ blocks: inout [LabelledBlock], _ openings: [BlockOpening]) throws(Fault) -> Int {
    let tree = try MergeTree(
      GroupMerge(openings.map(\.group), in: grid, order: order), grid, order,
      communicator)
    let facts = try tree.finalFacts()
    let joined = openings.indices.map { tree.own.joined($0) }
    var starters: [[UInt32]] = []
    for index in blocks.indices {
      starters.append(keep(&blocks[index], openings[index].members, joined[index], facts))
    }
    let total: UInt64
    if rules.numbers {
      total = try RankNumbering(grid: grid, communicator: communicator).number(
        &blocks, starters)
      try spread(&blocks, openings, joined, facts, tree)
    } else {
      var count = Packet()
      count.write(UInt64(starters.reduce(0) { $0 + $1.count }))
      var sum: UInt64 = 0
      for bytes in try communicator.gatherAll(count.bytes) {
        var reader = PacketReader(bytes)
        sum += try reader.read(UInt64.self)
      }
      total = sum
    }
    return Int(total)
  }

  /// Marks the components that are kept with 1 and the others with 0.
  ///
  /// - Returns: The kept components that begin in this block, in raster order.
  private func keep(
    _ block: inout LabelledBlock, _ members: [UInt32], _ joined: [UInt32],
    _ facts: [ComponentFacts]
  ) -> [UInt32] {
    var numbers = [UInt64](repeating: 0, count: block.componentCount)
    var begins = [Bool](repeating: true, count: block.componentCount)
    for component in 0..<block.componentCount {
      numbers[component] = keeps(block.facts(of: component, in: grid)) ? 1 : 0
    }
    for (slot, member) in members.enumerated() {
      let whole = facts[Int(joined[slot])]
      numbers[Int(member)] = keeps(whole) ? 1 : 0
      begins[Int(member)] = whole.key == block.key(of: Int(member), in: grid)
    }
    block.numbers = numbers
    return (0..<UInt32(block.componentCount)).filter {
      numbers[Int($0)] != 0 && begins[Int($0)]
    }
  }

  private func keeps(_ facts: ComponentFacts) -> Bool {
    if rules.clearsBorder && facts.touchesBorder { return false }
    if let least = rules.minimumSize, facts.count < UInt64(max(0, least)) { return false }
    if let most = rules.maximumSize, facts.count > UInt64(max(0, most)) { return false }
    return true
  }

  /// Gives the numbers of objects that begin elsewhere to all their pieces.
  private func spread(
    _ blocks: inout [LabelledBlock], _ openings: [BlockOpening], _ joined: [[UInt32]],
    _ facts: [ComponentFacts], _ tree: MergeTree
  ) throws(Fault) {
    var values = [UInt64](repeating: 0, count: tree.own.componentCount)
    for index in blocks.indices {
      for (slot, member) in openings[index].members.enumerated() {
        let whole = Int(joined[index][slot])
        if facts[whole].key == blocks[index].key(of: Int(member), in: grid) {
          values[whole] = blocks[index].numbers[Int(member)]
        }
      }
    }
    try tree.spread(&values)
    for index in blocks.indices {
      for (slot, member) in openings[index].members.enumerated()
      where blocks[index].numbers[Int(member)] != 0 {
        blocks[index].numbers[Int(member)] = values[Int(joined[index][slot])]
      }
    }
  }
}
