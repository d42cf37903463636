import OMGrid
import OMTask
import OMZarr

/// One region of one image to make: the unit of work.
struct Piece: Sendable {
  /// The number of the image to make.
  let plan: Int
  /// The region, in its axes.
  let region: Region
  /// The number of voxels that are read.
  let voxels: Int
  /// The estimated cost, in voxels.
  var cost: Double

  /// Bytes of a partial of this piece that are worth keeping for a later invocation: beyond that,
  /// reading the voxels again is cheaper.
  func keptBytes(_ plan: any ArrayPlan) -> Int {
    max(1 << 16, voxels * plan.source.metadata.dataType.byteCount)
  }

  /// The regions of all images to make in the order of work.
  static func all(of plans: [any ArrayPlan]) -> [Piece] {
    plans.enumerated().flatMap { number, plan in
      plan.grid.regions().map { region in
        let voxels = plan.sourceBoxes(of: region).reduce(0) { $0 + $1.count }
        // Regions outside the selection still have to be written off at coarser levels.
        return Piece(plan: number, region: region, voxels: voxels, cost: Double(voxels) + 1)
      }
    }
  }
}

extension LabelPlan {
  /// Whether every region holds whole scopes and fits in memory, so that a region can find its own
  /// thresholds and the image is decoded only once.
  func regionsHoldScopes(memory: Int) -> Bool {
    guard recipe.objects != nil, recipe.tiles == nil, !leavesOutVoxels else { return false }
    let cell = grid.cells.cellShape
    let shape = self.shape
    let spatial = shape.count - axes.space.count
    let covered: Range<Int>
    switch recipe.scope {
    case .volume: covered = spatial..<shape.count
    case .plane: covered = shape.count - 2..<shape.count
    case .channel, .image, .plate: return false
    }
    guard covered.allSatisfy({ cell[$0] >= shape[$0] }) else { return false }
    let voxels = (spatial..<shape.count).reduce(1) { $0 * min(cell[$1], shape[$1]) }
    return voxels * source.metadata.dataType.byteCount <= memory / 2
      && MemoryBudget.holdsRegion(self, memory: memory)
  }
}
