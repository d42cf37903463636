/// The mean of integers: an exact sum, divided and rounded half to even once.
struct IntegerMean<Voxel: IntegerInWindow>: WindowRule {
  init(room: UnsafeMutableRawPointer) {}

  func voxel(_ rows: FineRows<Voxel>, _ columns: Range<Int>) -> Voxel {
    var sum: Voxel.Sum = 0
    for row in rows {
      for x in columns { sum &+= Voxel.Sum(truncatingIfNeeded: row[x]) }
    }
    let count = Voxel.Sum(truncatingIfNeeded: rows.count &* columns.count)
    var (mean, rest) = sum.quotientAndRemainder(dividingBy: count)
    if rest < 0 {
      mean &-= 1
      rest &+= count
    }
    let twice = rest &+ rest
    if twice > count || (twice == count && mean & 1 == 1) { mean &+= 1 }
    return Voxel(truncatingIfNeeded: mean)
  }

  func pairs(_ line: UnsafeMutablePointer<Voxel>, _ count: Int, _ rows: FineRows<Voxel>) -> Bool {
    switch rows.count {
    case 1:
      let a = rows[0]
      for index in 0..<count {
        line[index] = halved(pair(a, index), 1)
      }
    case 2:
      let (a, b) = (rows[0], rows[1])
      for index in 0..<count {
        line[index] = halved(pair(a, index) &+ pair(b, index), 2)
      }
    case 4:
      let (a, b, c, d) = (rows[0], rows[1], rows[2], rows[3])
      for index in 0..<count {
        let sum = pair(a, index) &+ pair(b, index) &+ pair(c, index) &+ pair(d, index)
        line[index] = halved(sum, 3)
      }
    default: return false
    }
    return true
  }

  @inline(__always)
  private func pair(_ row: UnsafePointer<Voxel>, _ index: Int) -> Voxel.SumOfEight {
    let (first, second) = Voxel.keys(row, index)
    return Voxel.SumOfEight(truncatingIfNeeded: first)
      &+ Voxel.SumOfEight(truncatingIfNeeded: second)
  }

  /// Halves a sum some times and rounds half to even.
  ///
  /// A little less than a half is added, and a little more where the bit that will be the lowest is
  /// set. The shift rounds down, also below 0.
  @inline(__always)
  private func halved(_ sum: Voxel.SumOfEight, _ times: Voxel.SumOfEight) -> Voxel {
    let nearlyHalf = ((1 as Voxel.SumOfEight) &<< (times &- 1)) &- 1
    return Voxel(
      truncatingIfNeeded: (sum &+ nearlyHalf &+ ((sum &>> times) & 1)) &>> times)
  }
}

/// The mean of floating-point numbers, as tensorstore takes it.
///
/// The voxels are added in C order, beginning with 0, in the type itself (float16 in float32); the
/// sum is divided by their number and, for float16, rounded half to even. The order within a window
/// is part of the rule and no cut of the image changes it. NaN in the window makes the mean NaN.
struct FloatMean<Voxel: FloatInWindow>: WindowRule {
  init(room: UnsafeMutableRawPointer) {}

  func voxel(_ rows: FineRows<Voxel>, _ columns: Range<Int>) -> Voxel {
    var sum: Voxel.Sum = 0
    for row in rows {
      for x in columns { sum += row[x].widened }
    }
    return Voxel(narrowing: sum / Voxel.Sum(rows.count &* columns.count))
  }

  func pairs(_ line: UnsafeMutablePointer<Voxel>, _ count: Int, _ rows: FineRows<Voxel>) -> Bool {
    // Multiplying by 1/2, 1/4 or 1/8 is the same as dividing, also among subnormal numbers.
    switch rows.count {
    case 1:
      let a = rows[0]
      for index in 0..<count {
        line[index] = Voxel(narrowing: added(a, index, 0) * 0.5)
      }
    case 2:
      let (a, b) = (rows[0], rows[1])
      for index in 0..<count {
        line[index] = Voxel(narrowing: added(b, index, added(a, index, 0)) * 0.25)
      }
    case 4:
      let (a, b, c, d) = (rows[0], rows[1], rows[2], rows[3])
      for index in 0..<count {
        let half = added(b, index, added(a, index, 0))
        line[index] = Voxel(narrowing: added(d, index, added(c, index, half)) * 0.125)
      }
    default: return false
    }
    return true
  }

  @inline(__always)
  private func added(_ row: UnsafePointer<Voxel>, _ index: Int, _ sum: Voxel.Sum) -> Voxel.Sum {
    (sum + row[2 * index].widened) + row[2 * index + 1].widened
  }
}
