import OMTask
import OMZarr

/// One pass over the regions of an image.
enum ImagePass: String, Sendable {
  case statistics
  case statisticsInRange = "statistics within the range"
  case mask
  case objects
  case labels

  /// The passes over an image in their order, for a plan and for the progress of a run.
  ///
  /// - Parameters:
  ///   - plans: The label images.
  ///   - memory: Bytes for each worker.
  ///   - preset: Whether thresholds were found before, over all images.
  /// - Returns: The passes.
  static func all(_ plans: [LabelPlan], memory: Int, preset: Bool) -> [ImagePass] {
    var passes: [ImagePass] = []
    let open = preset ? [] : plans.filter { $0.takesStatistics(memory: memory) }
    if !open.isEmpty { passes.append(.statistics) }
    if open.contains(where: \.needsRangeFirst) { passes.append(.statisticsInRange) }
    return passes + (plans.contains { $0.recipe.objects != nil } ? [.objects, .labels] : [.mask])
  }
}

extension LabelPlan {
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
