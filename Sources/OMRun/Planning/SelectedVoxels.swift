package import OMGrid

/// The voxels that a run processes: a box, or whatever lies in one of several boxes.
package struct SelectedVoxels: Sendable {
  /// The smallest box around all of them.
  package let bounds: Region
  /// The boxes, which may overlap; nil when all of `bounds` is selected.
  package let boxes: [Region]?
  /// How many voxels there are, each counted once.
  package let count: Int

  /// All voxels of a box.
  package init(_ box: Region) {
    bounds = box
    boxes = nil
    count = box.count
  }

  /// The voxels of some boxes; nil when there is no box.
  ///
  /// - Parameter boxes: The boxes, none of them empty.
  package init?(anyOf boxes: [Region]) {
    guard var bounds = boxes.first else { return nil }
    for box in boxes { bounds = bounds.around(box) }
    let different = Set(boxes)
    self.bounds = bounds
    if different.contains(bounds) {
      self.boxes = nil
      count = bounds.count
    } else {
      // In their order, so that what is done does not depend on the order of a set.
      var seen: Set<Region> = []
      let distinct = boxes.filter { seen.insert($0).inserted }
      let count = SelectedVoxels.count(distinct, axis: 0)
      self.count = count
      self.boxes = count == bounds.count ? nil : distinct
    }
  }

  /// Whether some voxel of a box is selected.
  func touches(_ region: Region) -> Bool {
    guard let boxes else { return region.intersection(bounds) != nil }
    return boxes.contains { $0.intersection(region) != nil }
  }

  /// The parts of a box that are selected; they may overlap.
  func parts(of region: Region) -> [Region] {
    (boxes ?? [bounds]).compactMap { $0.intersection(region) }
  }

  /// The voxels in the union of some boxes: along one axis the boxes change at a few places only, and
  /// between two of them the same holds for the other axes.
  private static func count(_ boxes: [Region], axis: Int) -> Int {
    guard let rank = boxes.first?.rank, axis < rank else { return boxes.isEmpty ? 0 : 1 }
    let sorted = boxes.sorted { $0.origin[axis] < $1.origin[axis] }
    let cuts = Set(boxes.flatMap { [$0.origin[axis], $0.end(axis)] }).sorted()
    var total = 0
    var next = 0
    var active: [Region] = []
    for (low, high) in zip(cuts, cuts.dropFirst()) {
      active.removeAll { $0.end(axis) <= low }
      while next < sorted.count, sorted[next].origin[axis] <= low {
        active.append(sorted[next])
        next += 1
      }
      total += (high - low) * count(active, axis: axis + 1)
    }
    return total
  }
}

extension Region {
  /// The smallest box around two.
  fileprivate func around(_ other: Region) -> Region {
    var result = self
    for axis in 0..<rank {
      result.origin[axis] = min(origin[axis], other.origin[axis])
      result.shape[axis] = max(end(axis), other.end(axis)) - result.origin[axis]
    }
    return result
  }
}
