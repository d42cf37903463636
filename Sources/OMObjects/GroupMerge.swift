import OMGrid

/// Joins groups of blocks into one group: components that touch across blocks become one.
///
/// The same step joins the blocks of one rank and, pair by pair up a binary tree, the ranks of a
/// job. What is left open goes up; final facts come down through `resolve`.
package struct GroupMerge: Sendable {
  /// The joined group, as its parent in the tree must know it.
  package let open: OpenGroup
  /// For each given group and each of its components the joined component.
  private let mapping: [[UInt32]]
  /// What is known of each joined component.
  private let facts: [ComponentFacts]
  /// For each joined component its place in `open`, or -1 when it is complete.
  private let openPlace: [Int32]

  /// Joins groups.
  ///
  /// - Parameters:
  ///   - groups: Groups with different blocks.
  ///   - grid: The volumes.
  ///   - order: In how many coordinates two neighbours may differ, 1…3.
  package init(_ groups: [OpenGroup], in grid: BlockGrid, order: Int) {
    var bases: [Int] = []
    var total = 0
    for group in groups {
      bases.append(total)
      total += group.components.count
    }
    let parents = UnsafeMutablePointer<UInt32>.allocate(capacity: max(1, total))
    defer { parents.deallocate() }
    for index in 0..<total { parents[index] = UInt32(truncatingIfNeeded: index) }
    var places: [BlockName: (group: Int, surface: Int)] = [:]
    for (number, group) in groups.enumerated() {
      for (place, surface) in group.surfaces.enumerated() {
        places[BlockName(surface.block)] = (number, place)
      }
    }
    let labels =
      groups.contains { $0.components.contains { $0.label != 0 } }
      ? groups.flatMap { $0.components.map(\.label) } : nil
    let contact = Contact(
      order: order, joinsPlanes: grid.joinsPlanes, parents: parents, labels: labels)
    for (number, group) in groups.enumerated() {
      for surface in group.surfaces {
        for direction in BlockGrid.directions.prefix(13) {
          guard let next = grid.neighbour(of: surface.block.position, direction),
            let found = places[BlockName(volume: surface.block.volume, position: next)],
            found.group != number
          else { continue }
          let other = groups[found.group].surfaces[found.surface]
          if grid.overlap != nil {
            Overlap(grid: grid, parents: parents)
              .join(surface, bases[number], other, bases[found.group])
          } else {
            contact.join(surface, bases[number], other, bases[found.group], direction)
          }
        }
      }
    }
    (mapping, facts) = GroupMerge.number(groups, bases, parents)
    (open, openPlace) = GroupMerge.surface(groups, places, grid, mapping, facts)
  }

  /// The number of joined components.
  package var componentCount: Int { facts.count }

  /// What is known of every joined component, given the final facts of the open ones.
  package func resolvedFacts(_ final: [ComponentFacts]) -> [ComponentFacts] {
    facts.indices.map { openPlace[$0] < 0 ? facts[$0] : final[Int(openPlace[$0])] }
  }

  /// Values of the joined components that are open, in the order of `open`.
  package func openValues(_ values: [UInt64]) -> [UInt64] {
    var result = [UInt64](repeating: 0, count: open.components.count)
    for index in facts.indices where openPlace[index] >= 0 {
      result[Int(openPlace[index])] = values[index]
    }
    return result
  }

  /// Puts values of the open components into those of the joined ones.
  package func takeOpenValues(_ open: [UInt64], into values: inout [UInt64]) {
    for index in facts.indices where openPlace[index] >= 0 {
      values[index] = open[Int(openPlace[index])]
    }
  }

  /// The joined component of each component of one given group.
  package func joined(_ group: Int) -> [UInt32] { mapping[group] }

  private static func number(
    _ groups: [OpenGroup], _ bases: [Int], _ parents: UnsafeMutablePointer<UInt32>
  ) -> ([[UInt32]], [ComponentFacts]) {
    var mapping: [[UInt32]] = []
    var facts: [ComponentFacts] = []
    var numbers: [UInt32] = []
    for (group, base) in zip(groups, bases) {
      var row: [UInt32] = []
      row.reserveCapacity(group.components.count)
      for (index, component) in group.components.enumerated() {
        let element = UInt32(truncatingIfNeeded: base + index)
        let top = Int(root(parents, element))
        // The root is the smallest element of its set, so it was numbered before the others.
        let number: UInt32
        if top == Int(element) {
          number = UInt32(truncatingIfNeeded: facts.count)
          facts.append(component)
        } else {
          number = numbers[top]
          facts[Int(number)].join(component)
        }
        numbers.append(number)
        row.append(number)
      }
      mapping.append(row)
    }
    return (mapping, facts)
  }

  private static func surface(
    _ groups: [OpenGroup], _ places: [BlockName: (group: Int, surface: Int)], _ grid: BlockGrid,
    _ mapping: [[UInt32]], _ facts: [ComponentFacts]
  ) -> (OpenGroup, [Int32]) {
    var open = OpenGroup(surfaces: [], components: [])
    var openPlace = [Int32](repeating: -1, count: facts.count)
    for (number, group) in groups.enumerated() {
      for surface in group.surfaces {
        let block = surface.block
        var outside = surface.outside
        for (bit, direction) in BlockGrid.directions.enumerated()
        where outside >> UInt32(bit) & 1 != 0 {
          let next = grid.neighbour(of: block.position, direction)
          let isJoined = next.map { places[BlockName(volume: block.volume, position: $0)] != nil }
          if isJoined ?? true { outside &= ~(1 << UInt32(bit)) }
        }
        if outside == 0 { continue }
        let sides = Sides(outside)
        var runs: [SurfaceRun] = []
        var objects: [UInt32] = []
        for (place, var run) in surface.runs.enumerated() {
          guard sides.touches(run, of: block, in: grid) else { continue }
          let joined = Int(mapping[number][Int(run.component)])
          if openPlace[joined] < 0 {
            openPlace[joined] = Int32(open.components.count)
            open.components.append(facts[joined])
          }
          run.component = UInt32(openPlace[joined])
          runs.append(run)
          if place < surface.objects.count { objects.append(surface.objects[place]) }
        }
        open.surfaces.append(
          BlockSurface(block: block, outside: outside, runs: runs, objects: objects))
      }
    }
    return (open, openPlace)
  }
}

/// What identifies a block in a label image.
private struct BlockName: Hashable {
  var volume: Int
  var position: Vector3

  init(volume: Int, position: Vector3) {
    self.volume = volume
    self.position = position
  }

  init(_ block: Block) { self.init(volume: block.volume, position: block.position) }
}
