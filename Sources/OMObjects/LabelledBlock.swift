package import OMGrid

/// Foreground voxels `start ..< end` of one row; all belong to one component of the block.
package struct Run: BitwiseCopyable, Sendable, Equatable {
  /// The first voxel, counted from the block's own first voxel.
  package var start: UInt32
  /// One past the last voxel.
  package var end: UInt32
  /// The component, counted within the block by its first voxel in raster order.
  package var component: UInt32

  /// Makes a run.
  package init(start: UInt32, end: UInt32, component: UInt32) {
    self.start = start
    self.end = end
    self.component = component
  }
}

/// The components of one block after labelling, before neighbours are known.
package struct LabelledBlock: Sendable {
  /// Where the block lies.
  package let block: Block
  /// For each row the number of its first run, and at the end the number of runs; empty when the
  /// runs were dropped to save memory.
  package private(set) var rowStarts: [UInt32]
  /// The runs in raster order; empty when they were dropped.
  package private(set) var runs: [Run]
  /// For each component the raster index of its first voxel within the block.
  package let firstVoxels: [UInt32]
  /// For each component its number of voxels within the block.
  package let counts: [UInt32]
  /// For each component whether it touches the border of the volume; empty when nobody asked.
  package let touchesBorder: [Bool]
  /// For each component the number it is written with; 0 removes it and empty means not known yet.
  package var numbers: [UInt64] = []
  /// For each component the labels around it; empty when nobody asked.
  package var surroundings: [Surroundings] = []
  /// For each component the label of its voxels; empty for a mask.
  package internal(set) var labels: [UInt64] = []
  /// The runs of the grown block, of components that have voxels in the block itself, where a neighbour
  /// sees them too; empty unless blocks overlap.
  package internal(set) var outerRuns: [SurfaceRun] = []

  init(
    block: Block, rowStarts: [UInt32], runs: [Run], firstVoxels: [UInt32], counts: [UInt32],
    touchesBorder: [Bool]
  ) {
    self.block = block
    self.rowStarts = rowStarts
    self.runs = runs
    self.firstVoxels = firstVoxels
    self.counts = counts
    self.touchesBorder = touchesBorder
  }

  /// The runs of one row.
  package func runs(ofRow row: Int) -> ArraySlice<Run> {
    runs[Int(rowStarts[row])..<Int(rowStarts[row + 1])]
  }

  /// The number of components.
  package var componentCount: Int { firstVoxels.count }

  /// Bytes that this value keeps in memory.
  package var byteCount: Int {
    rowStarts.count * 4 + runs.count * 12 + componentCount * 17 + surroundings.count * 16 + labels
      .count * 8
      + outerRuns.count * 16
  }

  /// The same without its runs, which a second labelling of the same mask makes again.
  package func droppingRuns() -> LabelledBlock {
    var copy = self
    copy.rowStarts = []
    copy.runs = []
    return copy
  }

  /// Takes the runs of a second labelling of the same mask.
  package mutating func takeRuns(of other: LabelledBlock) {
    rowStarts = other.rowStarts
    runs = other.runs
  }

  /// The key of a component: the raster index of its first voxel within the volume.
  package func key(of component: Int, in grid: BlockGrid) -> UInt64 {
    let index = Int(firstVoxels[component])
    let row = index / block.shape.x
    let z = block.origin.z + row / block.shape.y
    let y = block.origin.y + row % block.shape.y
    let x = block.origin.x + index % block.shape.x
    let shape = grid.volumeShape
    return UInt64((z * shape.y + y) * shape.x + x)
  }

  /// What is known of a component from this block alone.
  package func facts(of component: Int, in grid: BlockGrid) -> ComponentFacts {
    ComponentFacts(
      key: key(of: component, in: grid), count: UInt64(counts[component]),
      touchesBorder: touchesBorder.isEmpty ? false : touchesBorder[component],
      surroundings: surroundings.isEmpty ? Surroundings() : surroundings[component],
      label: labels.isEmpty ? 0 : labels[component])
  }
}

/// What decides whether a component is kept, and where it stands in the order of numbers.
///
/// A commutative monoid: pieces of one component combine in any order.
package struct ComponentFacts: BitwiseCopyable, Sendable, Equatable {
  /// The raster index of its first voxel within the volume.
  package var key: UInt64
  /// Its number of voxels in the lower bits, then what `name` is, then whether it touches the border.
  private var bits: UInt64 = 0
  /// The label of its voxels, or the label around it.
  private var name: UInt64 = 0

  private static let countBits: UInt64 = 1 << 60 - 1
  private static let borderBit: UInt64 = 1 << 63

  /// Its number of voxels.
  package var count: UInt64 {
    get { bits & Self.countBits }
    set { bits = bits & ~Self.countBits | newValue & Self.countBits }
  }

  /// Whether it touches the border of the volume.
  package var touchesBorder: Bool {
    get { bits & Self.borderBit != 0 }
    set { bits = newValue ? bits | Self.borderBit : bits & ~Self.borderBit }
  }

  private var kind: Kind {
    get { Kind(rawValue: UInt8(truncatingIfNeeded: bits >> 60 & 3)) ?? .none }
    set { bits = bits & ~(3 << 60) | UInt64(newValue.rawValue) << 60 }
  }

  /// There are many components, so small facts share their room.
  private enum Kind: UInt8 {
    case none, own, around, aroundWithOthers
  }

  /// Describes a component: of background with the labels around it, or of the voxels of a label.
  ///
  /// - Precondition: At most one of the two is given.
  package init(
    key: UInt64, count: UInt64, touchesBorder: Bool, surroundings: Surroundings = Surroundings(),
    label: UInt64 = 0
  ) {
    self.key = key
    self.count = count
    self.touchesBorder = touchesBorder
    if label != 0 {
      precondition(surroundings == Surroundings())
      (kind, name) = (.own, label)
    } else {
      self.surroundings = surroundings
    }
  }

  /// The label of its voxels, which touch only those of the same one; 0 in a mask.
  package var label: UInt64 { kind == .own ? name : 0 }

  /// The labels around it.
  package private(set) var surroundings: Surroundings {
    get {
      kind == .around || kind == .aroundWithOthers
        ? Surroundings(label: name, isMixed: kind == .aroundWithOthers) : Surroundings()
    }
    set {
      guard newValue.label != 0 || newValue.isMixed else { return }
      (kind, name) = (newValue.isMixed ? .aroundWithOthers : .around, newValue.label)
    }
  }

  /// Joins another piece of the same component.
  mutating func join(_ other: ComponentFacts) {
    key = min(key, other.key)
    count += other.count
    touchesBorder = touchesBorder || other.touchesBorder
    if kind != .own {
      var all = surroundings
      all.join(other.surroundings)
      surroundings = all
    }
  }
}

extension LabelledBlock {
  /// Visits every run that lies in a box of the block, cut to it, with the number to write.
  ///
  /// Runs of removed components are left out.
  ///
  /// - Parameters:
  ///   - origin: The first voxel of the box, counted from that of the block.
  ///   - shape: The voxels of the box.
  ///   - body: Gets z, y and x within the box, the length and the number.
  @inline(__always)
  package func paint(
    _ origin: Vector3, _ shape: Vector3, _ body: (Int, Int, Range<Int>, UInt64) -> Void
  ) {
    let from = origin.x
    let to = origin.x + shape.x
    rowStarts.withUnsafeBufferPointer { first in
      runs.withUnsafeBufferPointer { runs in
        numbers.withUnsafeBufferPointer { numbers in
          for z in 0..<shape.z {
            for y in 0..<shape.y {
              let row = (origin.z + z) * block.shape.y + origin.y + y
              let end = Int(first[row + 1])
              var index = place(runs, Int(first[row]), end, endingAfter: from)
              while index < end && Int(runs[index].start) < to {
                let run = runs[index]
                let number = numbers[Int(run.component)]
                if number != 0 {
                  body(
                    z, y, max(Int(run.start), from) - from..<min(Int(run.end), to) - from, number)
                }
                index += 1
              }
            }
          }
        }
      }
    }
  }

  /// The first of some runs of a row that ends after a voxel.
  private func place(
    _ runs: UnsafeBufferPointer<Run>, _ first: Int, _ end: Int, endingAfter from: Int
  ) -> Int {
    var low = first
    var high = end
    while low < high {
      let middle = (low + high) / 2
      if Int(runs[middle].end) <= from { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension LabelledBlock {
  /// Bytes of the runs alone.
  package var runByteCount: Int { rowStarts.count * 4 + runs.count * 12 }
}

extension BlockOpening {
  /// Bytes that this value keeps in memory.
  package var byteCount: Int {
    group.surfaces.reduce(0) { $0 + $1.runs.count * 16 } + members.count * 28
  }
}

extension LabelledBlock {
  /// Makes a block whose numbers are known, as another rank sent it: it can only be painted.
  package init(block: Block, rowStarts: [UInt32], runs: [Run], numbers: [UInt64]) {
    self.init(
      block: block, rowStarts: rowStarts, runs: runs, firstVoxels: [], counts: [],
      touchesBorder: [])
    self.numbers = numbers
  }

  /// How many chunks of this shape hold a run, counted from the first voxel of the block.
  package func occupiedChunks(_ chunk: Vector3) -> Int {
    if runs.isEmpty { return componentCount }
    let across = (block.shape.x + chunk.x - 1) / chunk.x
    let down = (block.shape.y + chunk.y - 1) / chunk.y
    let deep = (block.shape.z + chunk.z - 1) / chunk.z
    var seen = [Bool](repeating: false, count: across * down * deep)
    for row in 0..<block.rowCount {
      let line = row / block.shape.y / chunk.z * down + row % block.shape.y / chunk.y
      for run in runs[Int(rowStarts[row])..<Int(rowStarts[row + 1])] {
        for column in Int(run.start) / chunk.x...Int(run.end - 1) / chunk.x {
          seen[line * across + column] = true
        }
      }
    }
    return seen.count { $0 }
  }
}

extension LabelledBlock {
  /// Makes a block of what was stored of it; nil when the parts do not fit together.
  ///
  /// - Parameters:
  ///   - block: Where it lies.
  ///   - rowStarts: For each row the number of its first run, and at the end the number of runs.
  ///   - runs: The runs in raster order.
  ///   - firstVoxels: For each component the raster index of its first voxel.
  ///   - counts: For each component its number of voxels.
  ///   - touchesBorder: For each component whether it touches the border; or empty.
  ///   - surroundings: For each component the labels around it; or empty.
  ///   - labels: For each component the label of its voxels; or empty.
  ///   - outerRuns: The runs of the grown block that a neighbour sees too; or empty.
  package init?(
    restoring block: Block, rowStarts: [UInt32], runs: [Run], firstVoxels: [UInt32],
    counts: [UInt32], touchesBorder: [Bool], surroundings: [Surroundings] = [],
    labels: [UInt64] = [], outerRuns: [SurfaceRun] = []
  ) {
    let components = firstVoxels.count
    let (rows, overflow) = block.shape.z.multipliedReportingOverflow(by: block.shape.y)
    guard !overflow, block.shape.z > 0, block.shape.y > 0, block.shape.x > 0,
      rowStarts.count - 1 == rows, Int(rowStarts[rows]) == runs.count,
      zip(rowStarts, rowStarts.dropFirst()).allSatisfy({ $0 <= $1 }),
      runs.allSatisfy({ run in
        run.start < run.end && Int(run.end) <= block.shape.x && Int(run.component) < components
      }), counts.count == components, touchesBorder.isEmpty || touchesBorder.count == components,
      surroundings.isEmpty || surroundings.count == components,
      labels.isEmpty || labels.count == components,
      outerRuns.allSatisfy({ $0.start < $0.end && Int($0.component) < components })
    else { return nil }
    self.init(
      block: block, rowStarts: rowStarts, runs: runs, firstVoxels: firstVoxels, counts: counts,
      touchesBorder: touchesBorder)
    self.surroundings = surroundings
    self.labels = labels
    self.outerRuns = outerRuns
  }
}
