import OMGrid
import OMImage
import OMJSON
import OMTask
import OMZarr

/// An image or table of ours that is staged but for its metadata.
struct MadeImage: Sendable {
  /// Its levels, finest first; none for a table.
  let layouts: [ArrayLayout]
  /// Voxels that the kernels of a derived image counted; nil when they count none.
  var counted: Int?
  /// What is known of a label image besides.
  var label: LabelFacts?
  /// What is known of a table besides.
  var table: TableFacts?
}

/// What is known of a label image whose voxels are all staged.
struct LabelFacts: Sendable {
  /// How many objects it holds; nil for a mask.
  let objects: Int?
  /// How many voxels count, and how many of them are foreground before any object rule.
  let counts: VoxelCounts
  /// The thresholds used.
  let thresholds: [ScopeThreshold]
  /// Whether all voxels of some scope have one value.
  let hasConstantScope: Bool
  /// How labels of regions were made one label image; nil when nothing depends on regions.
  var regions: JSON?

  /// What a person should look at.
  func notes(_ plan: LabelPlan, share: Double) -> [String] {
    if plan.recipe.filter != nil { return [] }
    let isMask = plan.recipe.objects?.comparesValues != true
    var notes: [String] = []
    if hasConstantScope {
      notes.append(
        thresholds.count > 1
          ? "some scopes are constant: all their voxels have one value"
          : "the image is constant: all voxels have one value")
    }
    if isMask, share > 0.5 {
      let percent = (share * 1000).rounded() / 10
      notes.append("more than half of the voxels are foreground (\(percent) of 100)")
    }
    if isMask, let objects, objects > 1_000_000 {
      notes.append("there are \(objects) objects; is the threshold within the noise?")
    }
    if plan.recipe.objects?.clearsBorder == true, plan.isOnePlaneThick {
      notes.append("the z axis has one plane, so every object touches the border and is cleared")
    }
    return notes
  }
}

extension LabelPlan {
  /// The voxels that are processed: those of the selection and of the recipe's channels, whatever a
  /// masking label leaves of them.
  package var processedVoxels: Int {
    guard let axis = axes.channel else { return selection.count }
    let bounds = selection.bounds
    let chosen = recipe.channels.count { bounds.origin[axis]..<bounds.end(axis) ~= $0 }
    return selection.count / bounds.shape[axis] * chosen
  }

  /// Whether the image has a z axis with a single processed plane.
  var isOnePlaneThick: Bool { axes.space.count == 3 && selection.bounds.shape[axes.space[0]] == 1 }
}

extension LabelPlan {
  /// What labels that were made region by region may depend on.
  var regionRecord: JSON? {
    guard let tiles = recipe.tiles, tiles.kernel.reach == .any else { return nil }
    let halo = tiles.kernel.halo
    let widths = axes.space.count == 3 ? [halo.z, halo.y, halo.x] : [halo.y, halo.x]
    return [
      "shape": .array(grid.cells.cellShape.suffix(widths.count).map { JSON($0) }),
      "halo": .array(widths.map { JSON($0) }), "stitch": .string(tiles.seam.name),
    ]
  }
}

extension Downsampling {
  /// The method for the metadata of a pyramid whose levels may all be made of the finest one.
  func description(fromBase: Bool) -> PyramidDescription {
    let known = description
    if !fromBase { return known }
    return PyramidDescription(
      method: known.method, description: known.description + ", every level of the finest one")
  }

  /// The method for the metadata of a pyramid.
  var description: PyramidDescription {
    switch self {
    case .mode:
      PyramidDescription(
        method: "mode", description: "most frequent value of the window, of several the smallest")
    case .stride:
      PyramidDescription(method: "stride", description: "first voxel of the window")
    case .mean:
      PyramidDescription(
        method: "mean", description: "mean of the window, integers rounded half to even")
    case .median:
      PyramidDescription(
        method: "median", description: "median of the window, of two middle values the lower")
    case .min:
      PyramidDescription(method: "min", description: "smallest value of the window")
    case .max:
      PyramidDescription(method: "max", description: "largest value of the window")
    }
  }
}
