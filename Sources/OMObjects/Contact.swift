/// Finds the runs of two neighbouring blocks that touch, and joins their components.
struct Contact {
  /// In how many coordinates two neighbours may differ, 1…3.
  let order: Int
  /// The union-find forest over the components of all groups.
  let parents: UnsafeMutablePointer<UInt32>

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
    let steps = [direction.z, direction.y, direction.x].count { $0 != 0 }
    if steps > order || here.runs.isEmpty || there.runs.isEmpty { return }
    let a = here.block.shape
    let b = there.block.shape
    for zHere in rows(direction.z, a.z) {
      for zThere in facing(zHere, direction.z, b.z) {
        for yHere in rows(direction.y, a.y) {
          let mine = here.runs(in: zHere * a.y + yHere)
          if mine.isEmpty { continue }
          for yThere in facing(yHere, direction.y, b.y) {
            let differing =
              (direction.z != 0 || zHere != zThere ? 1 : 0)
              + (direction.y != 0 || yHere != yThere ? 1 : 0)
            if differing + (direction.x != 0 ? 1 : 0) > order { continue }
            let theirs = there.runs(in: zThere * b.y + yThere)
            if theirs.isEmpty { continue }
            if direction.x == 0 {
              overlap(
                here.runs[mine], hereBase, there.runs[theirs], thereBase,
                slack: differing < order ? 1 : 0)
            } else {
              ends(
                here.runs[mine], hereBase, there.runs[theirs], thereBase, direction.x,
                a.x, b.x)
            }
          }
        }
      }
    }
  }

  /// The lines of the block that face a neighbour.
  private func rows(_ direction: Int, _ count: Int) -> Range<Int> {
    direction == 0 ? 0..<count : direction > 0 ? count - 1..<count : 0..<1
  }

  /// The lines of the neighbour within reach of one line.
  private func facing(_ line: Int, _ direction: Int, _ count: Int) -> Range<Int> {
    if direction > 0 { return 0..<1 }
    if direction < 0 { return count - 1..<count }
    let reach = order > 1 ? 1 : 0
    return max(0, line - reach)..<min(count, line + reach + 1)
  }

  private func overlap(
    _ mine: ArraySlice<SurfaceRun>, _ mineBase: Int, _ theirs: ArraySlice<SurfaceRun>,
    _ theirBase: Int, slack: UInt32
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
        if other.end < one.end { j += 1 } else { i += 1 }
      }
    }
  }

  private func ends(
    _ mine: ArraySlice<SurfaceRun>, _ mineBase: Int, _ theirs: ArraySlice<SurfaceRun>,
    _ theirBase: Int, _ direction: Int, _ myWidth: Int, _ theirWidth: Int
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
    unite(
      parents, UInt32(truncatingIfNeeded: oneBase + Int(one.component)),
      UInt32(truncatingIfNeeded: otherBase + Int(other.component)))
  }
}
