import OMGrid
import OMJSON
import OMObjects

/// Numbers the objects of a label image over all ranks.
///
/// Layer by layer (the blocks of a volume with the same place in z) one rank counts the objects
/// that begin in every row; the totals of the layers give each layer its first number. Calls are
/// *collective*.
struct RankNumbering {
  let grid: BlockGrid
  let communicator: any Communicator

  /// Numbers the objects that begin in this rank's blocks.
  ///
  /// - Parameters:
  ///   - blocks: The blocks; `numbers` of the starters get their final value.
  ///   - starters: For each block its kept components that begin in it, in raster order.
  /// - Returns: The number of objects of all ranks.
  /// - Throws: What the communicator throws.
  func number(_ blocks: inout [LabelledBlock], _ starters: [[UInt32]]) throws(Fault) -> UInt64 {
    let counts = blocks.indices.map { rowCounts(blocks[$0], starters[$0]) }
    let order = blocks.indices.map { layer(of: blocks[$0].block) % communicator.size }
    var outgoing = Array(repeating: Packet(), count: communicator.size)
    for index in blocks.indices where !counts[index].isEmpty {
      outgoing[order[index]].write(UInt64(layer(of: blocks[index].block)))
      outgoing[order[index]].write(UInt64(blocks[index].block.position.x))
      outgoing[order[index]].write(counts[index])
    }
    let incoming = try communicator.exchange(outgoing.map(\.bytes))
    let (replies, totals) = try countLayers(incoming)
    let answers = try communicator.exchange(replies)
    let (bases, total) = try layerBases(totals)
    var readers = answers.map { PacketReader($0) }
    for index in blocks.indices where !counts[index].isEmpty {
      let starts = try readers[order[index]].readArray(UInt64.self)
      let base = bases[layer(of: blocks[index].block)] ?? 0
      assign(&blocks[index], starters[index], counts[index], starts, base)
    }
    return total
  }

  private func layer(of block: Block) -> Int { block.volume * grid.gridShape.z + block.position.z }

  /// The rows of a layer begin with the first plane of its blocks.
  private func row(_ block: Block, _ firstVoxel: UInt32) -> UInt32 {
    let row = Int(firstVoxel) / block.shape.x
    let z = row / block.shape.y
    let y = block.origin.y + row % block.shape.y
    return UInt32(truncatingIfNeeded: z * grid.volumeShape.y + y)
  }

  private func rowCounts(_ block: LabelledBlock, _ starters: [UInt32]) -> [RowCount] {
    var counts: [RowCount] = []
    for component in starters {
      let row = row(block.block, block.firstVoxels[Int(component)])
      if let last = counts.indices.last, counts[last].row == row {
        counts[last].count += 1
      } else {
        counts.append(RowCount(row: row, count: 1))
      }
    }
    return counts
  }

  /// Counts the layers that were sent to this rank.
  ///
  /// - Returns: For each rank the answers to its blocks, and the total of each layer.
  private func countLayers(
    _ incoming: [[UInt8]]
  ) throws(Fault) -> ([[UInt8]], [UInt64: UInt64]) {
    var layers: [UInt64: [(rank: Int, counts: BlockRowCounts)]] = [:]
    var sequence: [[(layer: UInt64, place: Int)]] = []
    for (rank, bytes) in incoming.enumerated() {
      var reader = PacketReader(bytes)
      var asked: [(layer: UInt64, place: Int)] = []
      while !reader.isAtEnd {
        let layer = try reader.read(UInt64.self)
        let place = Int(try reader.read(UInt64.self))
        let rows = try reader.readArray(RowCount.self)
        asked.append((layer, layers[layer]?.count ?? 0))
        layers[layer, default: []].append((rank, BlockRowCounts(place: place, rows: rows)))
      }
      sequence.append(asked)
    }
    var starts: [UInt64: [[UInt64]]] = [:]
    var totals: [UInt64: UInt64] = [:]
    for (layer, blocks) in layers {
      let last = blocks.compactMap { $0.counts.rows.map(\.row).max() }.max() ?? 0
      let numbered = numberRows(blocks.map(\.counts), rowCount: Int(last) + 1)
      starts[layer] = numbered.starts
      totals[layer] = numbered.total
    }
    let replies = sequence.map { asked in
      var packet = Packet()
      for (layer, place) in asked { packet.write(starts[layer]?[place] ?? []) }
      return packet.bytes
    }
    return (replies, totals)
  }

  /// The number of objects before each layer, and in all.
  private func layerBases(
    _ totals: [UInt64: UInt64]
  ) throws(Fault) -> (bases: [Int: UInt64], total: UInt64) {
    var packet = Packet()
    for (layer, total) in totals {
      packet.write(layer)
      packet.write(total)
    }
    var all: [UInt64: UInt64] = [:]
    for bytes in try communicator.gatherAll(packet.bytes) {
      var reader = PacketReader(bytes)
      while !reader.isAtEnd {
        let layer = try reader.read(UInt64.self)
        all[layer] = try reader.read(UInt64.self)
      }
    }
    var bases: [Int: UInt64] = [:]
    var sum: UInt64 = 0
    for layer in all.keys.sorted() {
      bases[Int(layer)] = sum
      sum += all[layer] ?? 0
    }
    return (bases, sum)
  }

  private func assign(
    _ block: inout LabelledBlock, _ starters: [UInt32], _ counts: [RowCount],
    _ starts: [UInt64], _ base: UInt64
  ) {
    var next = 0
    for (entry, start) in zip(counts, starts) {
      for offset in 0..<UInt64(entry.count) {
        block.numbers[Int(starters[next])] = base + start + offset + 1
        next += 1
      }
    }
  }
}
