import OMGrid

/// Finds the runs of two neighbouring blocks that touch, and joins their components.
struct Contact {
  /// In how many coordinates two neighbours may differ, 1…3.
  let order: Int
  /// Whether voxels of neighbouring planes can touch.
  let joinsPlanes: Bool
  /// The union-find forest over the components of all groups.
  let parents: UnsafeMutablePointer<UInt32>
  /// The label of each component, where only those of the same one are joined; nil for masks.
  let labels: [UInt64]?

  /// Joins what touches between a block and its neighbour in a direction.
  ///
  /// - Parameters:
  ///   - here: The surface of the block.
  ///   - hereBase: Where its components begin in the forest.
  ///   - there: The surface of the neighbour.
  ///   - thereBase: Where its components begin in the forest.
  ///   - direction: From the block to the neighbour.
  func join(
    _ here: BlockSurface, _ hereBase: Int, _ there: BlockSurface, _ thereBase: Int,
    _ direction: Vector3
  ) {
    let across = direction.x != 0 ? 1 : 0
    for z in LineMap.all(direction.z, here.block.shape.z, there.block.shape.z) {
      if z.differs && !joinsPlanes { continue }
      for y in LineMap.all(direction.y, here.block.shape.y, there.block.shape.y) {
        let differing = (z.differs ? 1 : 0) + (y.differs ? 1 : 0)
        if differing + across > order { continue }
        here.runs.withUnsafeBufferPointer { mine in
          there.runs.withUnsafeBufferPointer { theirs in
            walkRows(mine, here.block, theirs, there.block, z, y) { mine, theirs in
              if direction.x == 0 {
                overlap(mine, hereBase, theirs, thereBase, slack: differing < order ? 1 : 0)
              } else {
                ends(
                  mine, hereBase, theirs, thereBase, direction.x, here.block.shape.x,
                  there.block.shape.x)
              }
            }
          }
        }
      }
    }
  }

  /// Calls `body` with the runs of every row and those of the row it meets.
  ///
  /// Both lists are in the order of rows and so are the rows that meet, so one walk along both
  /// lists finds all pairs.
  private func walkRows(
    _ mine: UnsafeBufferPointer<SurfaceRun>, _ here: Block,
    _ theirs: UnsafeBufferPointer<SurfaceRun>, _ there: Block, _ z: LineMap, _ y: LineMap,
    _ body: (Runs, Runs) -> Void
  ) {
    var next = 0
    var other = 0
    while next < mine.count && other < theirs.count {
      let row = mine[next].row
      let start = next
      while next < mine.count && mine[next].row == row { next += 1 }
      guard let toZ = z.facing(Int(row) / here.shape.y),
        let toY = y.facing(Int(row) % here.shape.y)
      else { continue }
      let target = UInt32(truncatingIfNeeded: toZ * there.shape.y + toY)
      while other < theirs.count && theirs[other].row < target { other += 1 }
      var end = other
      while end < theirs.count && theirs[end].row == target { end += 1 }
      if end > other {
        body(Runs(rebasing: mine[start..<next]), Runs(rebasing: theirs[other..<end]))
      }
    }
  }

  /// The runs of one row.
  private typealias Runs = UnsafeBufferPointer<SurfaceRun>

  private func overlap(
    _ mine: Runs, _ mineBase: Int, _ theirs: Runs, _ theirBase: Int, slack: UInt32
  ) {
    var i = mine.startIndex
    var j = theirs.startIndex
    while i < mine.endIndex && j < theirs.endIndex {
      let one = mine[i]
      let other = theirs[j]
      if other.end + slack <= one.start {
        j += 1
      } else if one.end + slack <= other.start {
        i += 1
      } else {
        join(one, mineBase, other, theirBase)
        // Runs of labels follow each other without a gap: with slack, the next one touches too.
        if slack > 0 && other.end == one.end && j + 1 < theirs.endIndex
          && theirs[j + 1].start == one.end
        {
          join(one, mineBase, theirs[j + 1], theirBase)
        }
        if other.end < one.end { j += 1 } else { i += 1 }
      }
    }
  }

  private func ends(
    _ mine: Runs, _ mineBase: Int, _ theirs: Runs, _ theirBase: Int, _ direction: Int,
    _ myWidth: Int, _ theirWidth: Int
  ) {
    guard let one = direction > 0 ? mine.last : mine.first,
      let other = direction > 0 ? theirs.first : theirs.last
    else { return }
    let touches =
      direction > 0
      ? Int(one.end) == myWidth && other.start == 0
      : one.start == 0 && Int(other.end) == theirWidth
    if touches { join(one, mineBase, other, theirBase) }
  }

  private func join(_ one: SurfaceRun, _ oneBase: Int, _ other: SurfaceRun, _ otherBase: Int) {
    let (mine, theirs) = (oneBase + Int(one.component), otherBase + Int(other.component))
    if let labels, labels[mine] != labels[theirs] { return }
    unite(parents, UInt32(truncatingIfNeeded: mine), UInt32(truncatingIfNeeded: theirs))
  }
}

/// Which line of a neighbour, along z or y, meets which line of a block.
private struct LineMap {
  /// The only line of the block that is meant, or nil for all.
  let only: Int?
  /// The line of the neighbour, counted from that of the block.
  let shift: Int
  /// The lines of the neighbour.
  let count: Int
  /// Whether the two lines differ in this coordinate of the volume.
  let differs: Bool

  /// All ways in which lines can meet.
  ///
  /// - Parameters:
  ///   - direction: From the block to the neighbour along this axis.
  ///   - here: Lines of the block.
  ///   - there: Lines of the neighbour.
  /// - Returns: The ways, at most three.
  static func all(_ direction: Int, _ here: Int, _ there: Int) -> [LineMap] {
    if direction > 0 {
      return [LineMap(only: here - 1, shift: 1 - here, count: there, differs: true)]
    }
    if direction < 0 {
      return [LineMap(only: 0, shift: there - 1, count: there, differs: true)]
    }
    return (-1...1).map { LineMap(only: nil, shift: $0, count: there, differs: $0 != 0) }
  }

  /// The line of the neighbour that meets a line of the block.
  func facing(_ line: Int) -> Int? {
    if let only, only != line { return nil }
    let other = line + shift
    return 0 <= other && other < count ? other : nil
  }
}
