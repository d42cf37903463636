/// The most frequent value of a window of integers; of several, the smallest.
struct IntegerMode<Voxel: IntegerInWindow>: WindowRule {
  static var needsRoom: Bool { true }

  private let room: UnsafeMutablePointer<Voxel.Sorted>

  init(room: UnsafeMutableRawPointer) {
    self.room = room.assumingMemoryBound(to: Voxel.Sorted.self)
  }

  func voxel(_ rows: FineRows<Voxel>, _ columns: Range<Int>) -> Voxel {
    let first = rows[0][columns.lowerBound]
    var differs = false
    for row in rows {
      for x in columns where row[x] != first { differs = true }
    }
    if !differs { return first }
    // Counting each value compares all pairs, which large windows do not bear.
    if rows.count &* columns.count > 64 {
      return Voxel(sorted: Selection.mode(room, count: Selection.gather(rows, columns, room)))
    }
    return counted(rows, columns)
  }

  func pairs(_ line: UnsafeMutablePointer<Voxel>, _ count: Int, _ rows: FineRows<Voxel>) -> Bool {
    // Most windows of labels hold one value.
    switch rows.count {
    case 1:
      // Of two different values the smaller.
      let a = rows[0]
      for index in 0..<count { line[index] = min(a[2 * index], a[2 * index + 1]) }
    case 2:
      let (a, b) = (rows[0], rows[1])
      for index in 0..<count {
        let first = a[2 * index]
        let same = differs(a, index, first) | differs(b, index, first) == 0
        line[index] = same ? first : counted(rows, 2 * index..<2 * index + 2)
      }
    case 4:
      let (a, b, c, d) = (rows[0], rows[1], rows[2], rows[3])
      for index in 0..<count {
        let first = a[2 * index]
        let upper = differs(a, index, first) | differs(b, index, first)
        let same = upper | differs(c, index, first) | differs(d, index, first) == 0
        line[index] = same ? first : counted(rows, 2 * index..<2 * index + 2)
      }
    default: return false
    }
    return true
  }

  @inline(__always)
  private func differs(_ row: UnsafePointer<Voxel>, _ index: Int, _ first: Voxel) -> Voxel {
    (row[2 * index] ^ first) | (row[2 * index + 1] ^ first)
  }

  // Inlined, its loops were measured to be a third slower.
  @inline(never)
  private func counted(_ rows: FineRows<Voxel>, _ columns: Range<Int>) -> Voxel {
    var best: Voxel = 0
    var bestCount = 0
    for row in rows {
      for x in columns {
        let value = row[x]
        var count = 0
        for other in rows {
          for place in columns where other[place] == value { count += 1 }
        }
        if count > bestCount || (count == bestCount && value < best) {
          best = value
          bestCount = count
        }
      }
    }
    return best
  }
}

/// The most frequent value of a window of floating-point numbers; of several, the smallest.
///
/// Zeros of either sign are one value. NaN equals nothing, not even itself, so each one counts for
/// itself, and where it lies decides about what comes out, in the very way of tensorstore
/// (see `Selection`).
struct FloatMode<Voxel: FloatInWindow>: WindowRule {
  static var needsRoom: Bool { true }

  private let room: UnsafeMutablePointer<Voxel.Sorted>

  init(room: UnsafeMutableRawPointer) {
    self.room = room.assumingMemoryBound(to: Voxel.Sorted.self)
  }

  func voxel(_ rows: FineRows<Voxel>, _ columns: Range<Int>) -> Voxel {
    let first = rows[0][columns.lowerBound]
    var differs: Voxel.Bits = 0
    for row in rows {
      for x in columns { differs |= row[x].bits ^ first.bits }
    }
    if differs == 0 { return first }
    return Voxel(sorted: Selection.mode(room, count: Selection.gather(rows, columns, room)))
  }

  func pairs(_ line: UnsafeMutablePointer<Voxel>, _ count: Int, _ rows: FineRows<Voxel>) -> Bool {
    false
  }
}
