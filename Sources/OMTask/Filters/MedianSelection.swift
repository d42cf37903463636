import OMGrid

/// Medians of large windows of voxels with more than 16 bits: each window is partly sorted.
struct MedianSelection<V: Voxel> {
  private let spans: [FootprintSpan]
  private let window: UnsafeMutablePointer<V>
  private let count: Int

  /// Makes room in piece 1 of the scratch.
  init(_ spans: [FootprintSpan], _ scratch: TileScratch) {
    self.spans = spans
    count = spans.reduce(0) { $0 + 2 * $1.reach + 1 }
    window = scratch.room(1, V.self, count: count)
  }

  /// Writes the medians of a row of the plane that the planes were moved to.
  func write(
    _ planes: borrowing PaddedPlanes<V>, z: Int, y: Int, to target: UnsafeMutablePointer<V>,
    count length: Int
  ) {
    for x in 0..<length {
      var next = window
      for span in spans {
        let row = planes.row(z: z + span.z, y: y + span.y) + (planes.radius.x + x - span.reach)
        next.update(from: row, count: 2 * span.reach + 1)
        next += 2 * span.reach + 1
      }
      target[x] = middle()
    }
  }

  /// The median of the window by Hoare's selection, which moves its voxels.
  private func middle() -> V {
    let place = count / 2
    var (low, high) = (0, count - 1)
    while low < high {
      let pivot = medianOfThree(window[low], window[(low + high) / 2], window[high])
      var (left, right) = (low, high)
      while left <= right {
        while window[left] < pivot { left &+= 1 }
        while pivot < window[right] { right &-= 1 }
        if left <= right {
          (window[left], window[right]) = (window[right], window[left])
          left &+= 1
          right &-= 1
        }
      }
      if place <= right {
        high = right
      } else if place >= left {
        low = left
      } else {
        break
      }
    }
    return window[place]
  }

  private func medianOfThree(_ a: V, _ b: V, _ c: V) -> V { max(min(a, b), min(max(a, b), c)) }
}
