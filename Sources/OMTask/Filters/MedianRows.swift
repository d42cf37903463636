import OMGrid

/// Runs a `MedianPlan` on a stretch of some rows at a time, so that all lists stay in the cache.
struct MedianRows<V: Voxel> {
  private let plan: MedianPlan
  /// Medians per stretch.
  private let stretch: Int
  /// Voxels from row to row of the lists.
  private let pitch: Int
  private let rows: UnsafeMutablePointer<V>

  /// Makes room in piece 1 of the scratch.
  init(_ plan: MedianPlan, _ scratch: TileScratch) {
    self.plan = plan
    stretch = max(64, 256 / MemoryLayout<V>.stride)
    pitch = roundedToLanes(stretch + plan.columnCount) + laneCount
    rows = scratch.room(1, V.self, count: (plan.rowCount + 2) * pitch)
  }

  /// Writes the medians of a row of the plane that the planes were moved to.
  func write(
    _ planes: borrowing PaddedPlanes<V>, z: Int, y: Int, to target: UnsafeMutablePointer<V>,
    count: Int
  ) {
    for start in stride(from: 0, to: count, by: stretch) {
      let length = min(stretch, count - start)
      read(planes, z: z, y: y, from: start, length)
      run(plan.sorting, on: rows, width(of: 0, length))
      var lists = [rows]
      var next = rows + plan.sorting.rowCount * pitch
      for merge in plan.merges {
        lists.append(next)
        self.merge(merge, lists, length)
        next += merge.network.rowCount * pitch
      }
      select(lists, with: next, length, into: target + start)
    }
  }

  /// How many columns of a list a stretch needs; a few more, so that vectors are full.
  private func width(of list: Int, _ length: Int) -> Int {
    roundedToLanes(length + plan.columnCount - plan.widths[list])
  }

  private func read(
    _ planes: borrowing PaddedPlanes<V>, z: Int, y: Int, from start: Int, _ length: Int
  ) {
    let count = length + plan.columnCount - 1
    for (number, step) in plan.reads.enumerated() {
      let source = planes.row(z: z + step.z, y: y + step.y) + (planes.radius.x + step.x + start)
      (rows + number * pitch).update(from: source, count: count)
    }
  }

  /// Copies two lists to the rows of the last one and merges them there.
  private func merge(
    _ merge: MedianPlan.Merge, _ lists: [UnsafeMutablePointer<V>], _ length: Int
  ) {
    let target = lists[lists.count - 1]
    let width = width(of: lists.count - 1, length)
    var next = target
    for (list, shift) in [(merge.first, 0), (merge.second, merge.shift)] {
      for row in plan.list(list).rows {
        next.update(from: lists[list] + (row * pitch + shift), count: width)
        next += pitch
      }
    }
    run(merge.network, on: target, width)
  }

  private func run(
    _ network: RowNetwork, on rows: UnsafeMutablePointer<V>, _ width: Int
  ) {
    for comparator in network.comparators {
      let (first, second) = (rows + comparator.first * pitch, rows + comparator.second * pitch)
      let target = rows + comparator.target * pitch
      switch comparator.kind {
      case .both:
        putInOrder(first, second, target, rows + comparator.otherTarget * pitch, width)
      case .lower: putLower(first, second, target, width)
      case .higher: putHigher(first, second, target, width)
      }
    }
  }

  /// Takes the median of the last list and the column to the right of it.
  ///
  /// The lowest k + 1 of both are the lowest k + 1 - j of the list and the lowest j of the column
  /// for the j at which the larger of their last voxels is least; that voxel is the median.
  private func select(
    _ lists: [UnsafeMutablePointer<V>], with free: UnsafeMutablePointer<V>, _ length: Int,
    into target: UnsafeMutablePointer<V>
  ) {
    let last = plan.list(lists.count - 1)
    let list = lists[lists.count - 1]
    var found = list + last[plan.middle] * pitch
    if plan.columnCount > 1 {
      let column = plan.list(0)
      for j in 1...column.count {
        let one = list + last[plan.middle - j] * pitch
        let other = lists[0] + (column[j - 1] * pitch + plan.columnCount - 1)
        let better = free + j % 2 * pitch
        putLower(found, higherOf: one, other, better, roundedToLanes(length))
        found = better
      }
    }
    target.update(from: found, count: length)
  }
}

/// Voxels in the longest vector of any type we compute with.
private let laneCount = 16

private func roundedToLanes(_ count: Int) -> Int { (count + laneCount - 1) / laneCount * laneCount }

// Without targets of their own these loops would store only where something changes, voxel by voxel.

@inline(__always)
private func putInOrder<V: Voxel>(
  _ first: UnsafePointer<V>, _ second: UnsafePointer<V>, _ lower: UnsafeMutablePointer<V>,
  _ higher: UnsafeMutablePointer<V>, _ count: Int
) {
  for i in 0..<count {
    let (a, b) = (first[i], second[i])
    lower[i] = b < a ? b : a
    higher[i] = b < a ? a : b
  }
}

@inline(__always)
private func putLower<V: Voxel>(
  _ first: UnsafePointer<V>, _ second: UnsafePointer<V>, _ target: UnsafeMutablePointer<V>,
  _ count: Int
) {
  for i in 0..<count {
    let (a, b) = (first[i], second[i])
    target[i] = b < a ? b : a
  }
}

@inline(__always)
private func putHigher<V: Voxel>(
  _ first: UnsafePointer<V>, _ second: UnsafePointer<V>, _ target: UnsafeMutablePointer<V>,
  _ count: Int
) {
  for i in 0..<count {
    let (a, b) = (first[i], second[i])
    target[i] = b < a ? a : b
  }
}

@inline(__always)
private func putLower<V: Voxel>(
  _ first: UnsafePointer<V>, higherOf second: UnsafePointer<V>, _ third: UnsafePointer<V>,
  _ target: UnsafeMutablePointer<V>, _ count: Int
) {
  for i in 0..<count {
    let (a, b, c) = (first[i], second[i], third[i])
    let higher = c < b ? b : c
    target[i] = higher < a ? higher : a
  }
}
