import OMTask
import OMZarr

/// One pass over the regions of an image.
package enum ImagePass: String, Sendable, CaseIterable {
  case statistics
  case statisticsInRange = "statistics within the range"
  case mask
  case objects
  /// The background within labels.
  case holes
  case labels
  /// The voxels of a derived image.
  case tiles
  /// The sums of objects.
  case measure
  /// What is found in each region.
  case partials
  /// A program that does a whole image by itself.
  case program

  /// The passes over an image in their order, for a plan and for the progress of a run.
  ///
  /// - Parameters:
  ///   - plans: The images to make.
  ///   - memory: Bytes for each worker.
  ///   - preset: Whether thresholds were found before, over all images.
  /// - Returns: The passes, each once.
  static func all(_ plans: [any ArrayPlan], memory: Int, preset: Bool) -> [ImagePass] {
    let wanted = Set(plans.flatMap { $0.passes(memory: memory, preset: preset) })
    // A mask is made with the objects where there are both.
    return allCases.filter { wanted.contains($0) && ($0 != .mask || !wanted.contains(.objects)) }
  }
}

extension LabelPlan {
  package func passes(memory: Int, preset: Bool) -> [ImagePass] {
    var passes: [ImagePass] = []
    if !preset && takesStatistics(memory: memory) {
      passes.append(.statistics)
      if needsRangeFirst { passes.append(.statisticsInRange) }
    }
    if let filter = recipe.filter {
      return filter.holes == nil ? [.objects, .labels] : [.objects, .holes, .labels]
    }
    return passes + (recipe.objects == nil ? [.mask] : [.objects, .labels])
  }

  package func decodings(memory: Int) -> Double {
    if recipe.filter != nil { return filterDecodings }
    let looks = 1 + (takesStatistics(memory: memory) ? (needsRangeFirst ? 2 : 1) : 0)
    guard let kernel = recipe.smoothing else { return Double(looks) }
    let tile = axes.largest(sourceCell, halo: kernel.halo, within: source.metadata.shape)
    let region = zip(sourceCell, source.metadata.shape).reduce(1) { $0 * min($1.0, $1.1) }
    return Double(looks * tile.reduce(1, *)) / Double(region)
  }

  /// Whether the thresholds need a pass of their own.
  func takesStatistics(memory: Int) -> Bool {
    recipe.statistics != nil && !regionsHoldScopes(memory: memory)
  }

  /// Whether the range of values must be known before they can be counted.
  var needsRangeFirst: Bool {
    guard let need = recipe.statistics else { return false }
    return VoxelStatistics(need: need, dataType: source.metadata.dataType).needsSecondPass
  }
}
