import OMGrid
import OMTask
import OMZarr

/// One region of one label image: the unit of work.
struct Piece: Sendable {
  /// The number of the label image.
  let plan: Int
  /// The region, in axes of the label image.
  let region: Region
  /// The number of voxels that are read.
  let voxels: Int
  /// The estimated cost, in voxels.
  var cost: Double

  /// Bytes of a partial of this piece that are worth keeping for a later invocation: beyond that,
  /// reading the voxels again is cheaper.
  func keptBytes(_ plan: LabelPlan) -> Int {
    max(1 << 16, voxels * plan.source.metadata.dataType.byteCount)
  }

  /// The regions of all label images in the order of work.
  static func all(of plans: [LabelPlan]) -> [Piece] {
    plans.enumerated().flatMap { number, plan in
      plan.grid.regions().map { region in
        let voxels = plan.parts(of: region).reduce(0) { $0 + $1.source.count }
        // Regions outside the selection still have to be written off at coarser levels.
        return Piece(plan: number, region: region, voxels: voxels, cost: Double(voxels) + 1)
      }
    }
  }
}

extension LabelPlan {
  /// The numbers of the write units of the finest level that a piece of this label image makes.
  func units(of piece: Piece) -> [Int] {
    var numbers: [Int] = []
    forEachPosition(in: grid.units.cells(touching: piece.region)) {
      numbers.append(grid.units.number(at: $0))
    }
    return numbers
  }

  /// Whether every region holds whole scopes and fits in memory, so that a region can find its own
  /// thresholds and the image is decoded only once.
  func regionsHoldScopes(memory: Int) -> Bool {
    guard recipe.objects != nil else { return false }
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
