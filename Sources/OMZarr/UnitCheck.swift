import OMCodecs
import OMGrid
package import OMJSON
import OMStore

/// What is wrong with a stored chunk, or with a chunk in a shard.
package struct UnitDamage: Sendable {
  /// What is wrong; the subject is the key in the store.
  package let fault: Fault
  /// The position in the grid of readable chunks; nil when it concerns a whole shard.
  package let position: [Int]?
}

/// What a check of one stored chunk or shard looked at.
package struct UnitCheck: Sendable {
  /// Readable chunks that were decoded and are sound.
  package var sound = 0
  /// Readable chunks within the array that one sound file would hold.
  package var inside = 0
  /// Readable chunks within the array that are not stored and count as fill value.
  package var absent = 0
  /// The stored bytes.
  package var bytes = 0
  /// Bytes of a shard that neither its index nor any chunk uses.
  package var unused = 0
  /// What is wrong, in the order of the chunks.
  package var damage: [UnitDamage] = []
}

extension ChunkReader {
  /// Reads all of one stored chunk or shard and decodes everything in it.
  ///
  /// Chunks of a shard that hang over the edge of the array are decoded too: damage in them makes a
  /// shard that cannot be trusted.
  ///
  /// - Parameter position: The position in the grid of stored chunks.
  /// - Returns: What was found; nil when nothing is stored there.
  package func check(_ position: [Int]) -> UnitCheck? {
    let key = array.storedKey(position)
    do throws(Fault) {
      if let layout = array.metadata.sharding { return try checkShard(position, layout) }
      guard let value = try array.store.open(key, expecting: .whole(atMost: encodedLimit)) else {
        return nil
      }
      var result = UnitCheck(inside: 1, bytes: value.size)
      do throws(Fault) {
        try checkEncodedSize(value.size, key)
        try decodeAlone(0..<value.size, of: value, key)
        result.sound = 1
      } catch {
        result.damage.append(UnitDamage(fault: error, position: position))
      }
      return result
    } catch {
      let whole = array.metadata.isSharded ? nil : position
      return UnitCheck(
        inside: insideCount(position), damage: [UnitDamage(fault: error, position: whole)])
    }
  }

  private func checkShard(
    _ position: [Int], _ layout: ShardLayout
  ) throws(Fault) -> UnitCheck? {
    let shard = try openShard(position, layout)
    guard let content = shard.content else { return nil }
    var result = UnitCheck(inside: insideCount(position), bytes: content.value.size)
    var stored: [(range: Range<Int>, position: [Int])] = []
    forEachCell(of: position) { cell, chunk, isInside in
      do throws(Fault) {
        guard let range = try entry(layout.cell(at: cell), content.index, content.range, shard.key)
        else {
          if isInside { result.absent += 1 }
          return
        }
        stored.append((range, chunk))
      } catch {
        result.damage.append(UnitDamage(fault: error, position: chunk))
      }
    }
    stored.sort { $0.range.lowerBound < $1.range.lowerBound }
    result.unused = unusedBytes(stored.map(\.range), in: content.range)
    result.damage += overlaps(stored, shard.key)
    for cell in stored {
      do throws(Fault) {
        try decodeAlone(cell.range, of: content.value, shard.key)
        result.sound += 1
      } catch {
        result.damage.append(UnitDamage(fault: error, position: cell.position))
      }
    }
    return result
  }

  /// Reads and decodes the bytes of one chunk.
  private func decodeAlone(
    _ range: Range<Int>, of value: OpenedValue, _ key: String
  ) throws(Fault) {
    let bytes = try readEncoded(range, of: value)
    _ = try decode(bytes, Region(wholeOf: array.metadata.innerChunkShape), key)
  }

  /// How many readable chunks of a stored chunk the array reaches into.
  private func insideCount(_ position: [Int]) -> Int {
    let metadata = array.metadata
    return position.indices.reduce(1) { count, axis in
      let outer = metadata.storedChunkShape[axis]
      let length = min(outer, metadata.shape[axis] - position[axis] * outer)
      let inner = metadata.innerChunkShape[axis]
      return count * ((length + inner - 1) / inner)
    }
  }

  /// Calls `body` with each chunk of a shard: where it is in the shard, where in the grid of
  /// readable chunks, and whether the array reaches into it.
  private func forEachCell(of position: [Int], _ body: ([Int], [Int], Bool) -> Void) {
    let inner = array.metadata.innerChunkShape
    let perShard = zip(array.metadata.storedChunkShape, inner).map { $0 / $1 }
    forEachPosition(in: Region(wholeOf: perShard)) { cell in
      let chunk = cell.indices.map { position[$0] * perShard[$0] + cell[$0] }
      let isInside = chunk.indices.allSatisfy {
        chunk[$0] * inner[$0] < array.metadata.shape[$0]
      }
      body(cell, chunk, isInside)
    }
  }

  /// Chunks that share bytes with the one before them in the shard.
  private func overlaps(
    _ stored: [(range: Range<Int>, position: [Int])], _ key: String
  ) -> [UnitDamage] {
    var end = 0
    var last = 0..<0
    var damage: [UnitDamage] = []
    for cell in stored {
      // Two entries for the same bytes are how some writers store equal chunks once.
      if cell.range.lowerBound < end, cell.range != last {
        let fault = Fault(
          .codec, key,
          "an inner chunk lies at byte \(cell.range.lowerBound), the one before it ends at \(end)")
        damage.append(UnitDamage(fault: fault, position: cell.position))
      }
      end = max(end, cell.range.upperBound)
      last = cell.range
    }
    return damage
  }

  private func unusedBytes(_ sorted: [Range<Int>], in content: Range<Int>) -> Int {
    var end = content.lowerBound
    var unused = 0
    for range in sorted {
      unused += max(0, range.lowerBound - end)
      end = max(end, range.upperBound)
    }
    return unused + max(0, content.upperBound - end)
  }
}
