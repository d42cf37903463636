import OMGrid

/// Medians of large windows of voxels with up to 16 bits, by a histogram that moves with the window.
///
/// A step to the right takes out one voxel per row of the window and puts in another. The median
/// and the number of voxels below it are followed from step to step; counts of 256 grey values at
/// once help over gaps.
struct MedianHistogram<V: Voxel & FixedWidthInteger> {
  private let spans: [FootprintSpan]
  private let counts: UnsafeMutablePointer<Int32>
  private let coarse: UnsafeMutablePointer<Int32>
  private let edges: UnsafeMutablePointer<UnsafePointer<V>>
  private var median = 0
  private var below = 0
  /// How many voxels of a window are below its median, or equal and left of it when sorted.
  private let middle: Int

  /// Makes room in pieces 1 to 3 of the scratch.
  init(_ spans: [FootprintSpan], _ scratch: TileScratch) {
    self.spans = spans
    middle = spans.reduce(0) { $0 + 2 * $1.reach + 1 } / 2
    counts = scratch.room(1, Int32.self, count: 65_536)
    coarse = scratch.room(2, Int32.self, count: 256)
    edges = scratch.room(3, UnsafePointer<V>.self, count: spans.count)
    counts.update(repeating: 0, count: 65_536)
    coarse.update(repeating: 0, count: 256)
  }

  /// Writes the medians of a row of the plane that the planes were moved to.
  mutating func write(
    _ planes: borrowing PaddedPlanes<V>, z: Int, y: Int, to target: UnsafeMutablePointer<V>,
    count: Int
  ) {
    for (number, span) in spans.enumerated() {
      let centre = planes.row(z: z + span.z, y: y + span.y) + planes.radius.x
      edges[number] = UnsafePointer(centre)
      for x in -span.reach...span.reach { add(centre[x], 1) }
    }
    follow()
    target[0] = voxel
    for x in 1..<max(1, count) {
      for (number, span) in spans.enumerated() {
        add(edges[number][x - 1 - span.reach], -1)
        add(edges[number][x + span.reach], 1)
      }
      follow()
      target[x] = voxel
    }
    // Taking out the last window is cheaper than clearing all counts.
    for (number, span) in spans.enumerated() {
      for x in -span.reach...span.reach { add(edges[number][count - 1 + x], -1) }
    }
  }

  private var voxel: V { V(truncatingIfNeeded: median &+ Int(V.min)) }

  @inline(__always)
  private mutating func add(_ voxel: V, _ step: Int32) {
    let level = Int(voxel) &- Int(V.min)
    counts[level] &+= step
    coarse[level &>> 8] &+= step
    if level < median { below &+= Int(step) }
  }

  /// Moves the median to where no more than half of the voxels are below it.
  @inline(__always)
  private mutating func follow() {
    while below > middle {
      if median & 255 == 0, below - Int(coarse[median &>> 8 - 1]) > middle {
        median &-= 256
        below &-= Int(coarse[median &>> 8])
      } else {
        median &-= 1
        below &-= Int(counts[median])
      }
    }
    while below + Int(counts[median]) <= middle {
      if median & 255 == 0, below + Int(coarse[median &>> 8]) <= middle {
        below &+= Int(coarse[median &>> 8])
        median &+= 256
      } else {
        below &+= Int(counts[median])
        median &+= 1
      }
    }
  }
}
