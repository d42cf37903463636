import OMGrid
public import OMJSON
public import OMManifest
public import OMTask

/// `threshold`: voxels above a threshold, as numbered objects or as a mask.
public struct ThresholdTask: RegionTask {
  private let parameters: ThresholdParameters
  private let method: ThresholdMethod

  /// Binds the task.
  public init(_ bound: Parameters) throws(Fault) {
    let parameters = try ThresholdParameters(bound)
    self.parameters = parameters
    let chosen = parameters.method.flatMap { ThresholdMethod(rawValue: $0.rawValue) }
    method = chosen ?? (parameters.threshold == nil ? .otsu : .fixed)
    try checkThreshold()
    try checkSizes()
    try checkSmoothing(bound.chosen)
  }

  /// The method, which follows from the threshold when it is not given.
  public var settled: JSONObject { ["method": .string(method.rawValue)] }

  /// One label image per channel, or one with a channel axis.
  public func product(for image: ImageInfo) throws(Fault) -> Product {
    .labels(try recipes(for: image))
  }

  private func recipes(for image: ImageInfo) throws(Fault) -> [LabelRecipe] {
    let channels = try image.channels(
      named: parameters.channel, skippingMissing: parameters.skipIfMissing,
      allowingMany: parameters.keepChannelAxis)
    if channels.isEmpty { return [] }
    let smoothing = try smoothing(image)
    if parameters.keepChannelAxis && image.axis("c") != nil {
      return [recipe(channels, keepingAxis: true, smoothing)]
    }
    if let name = parameters.labelName, channels.count > 1 {
      throw Fault(
        .usage, "", "`label_name` is `\(name)`, but \(channels.count) channels make as many labels",
        hint: "leave `--label-name` out, or make one label with `--keep-channel-axis`")
    }
    return channels.map { recipe([$0], keepingAxis: false, smoothing) }
  }

  private func recipe(
    _ channels: [Int], keepingAxis: Bool, _ smoothing: (any TileKernel)?
  ) -> LabelRecipe {
    var recipe = LabelRecipe(
      name: parameters.labelName, masking: parameters.maskingLabel, channels: channels,
      keepsChannelAxis: keepingAxis,
      level: parameters.level, smoothing: smoothing, statistics: method.need,
      scope: StatisticsScope(rawValue: parameters.scope.rawValue) ?? .volume,
      objects: objectRules, dataType: labelType,
      downsampling: parameters.pyramid == .stride ? .stride : .mode,
      choose: { [self] (statistics) throws(Fault) in try choose(method, statistics) })
    recipe.alternatives = ThresholdMethod.allCases.compactMap { other in
      // A fixed threshold is one of them when there is one.
      if other == .fixed && method != .fixed { return nil }
      return MaskAlternative(
        name: other.rawValue, isChosen: other == method, statistics: other.need
      ) { [self] (statistics) throws(Fault) in try choose(other, statistics) }
    }
    return recipe
  }

  /// The filter in front of the threshold: what `gaussian-blur` and `median` do.
  private func smoothing(_ image: ImageInfo) throws(Fault) -> (any TileKernel)? {
    switch parameters.smooth {
    case .none: return nil
    case .gaussian:
      if image.dataType == .bool {
        throw Fault(
          .usage, "", "the image is of type bool, which a Gaussian cannot smooth",
          hint: "`--smooth median` can")
      }
      return GaussianKernel(sigma: try image.alongSpace(parameters.sigma, named: "sigma", flat: 0))
    case .median:
      let radius = try image.alongSpace(parameters.radius, named: "radius", flat: 0)
      return MedianKernel(radius: Vector3(radius.z, radius.y, radius.x))
    }
  }

  private func checkSmoothing(_ chosen: Set<String>) throws(Fault) {
    for (name, method) in [("sigma", "gaussian"), ("radius", "median")]
    where chosen.contains(name) && parameters.smooth.rawValue != method {
      throw Fault(
        .usage, "", "`\(name)` is given, but `smooth` is `\(parameters.smooth.rawValue)`",
        hint: "`--smooth \(method)` takes it")
    }
  }

  /// Finds the threshold of one scope and makes its kernel.
  private func choose(
    _ method: ThresholdMethod, _ statistics: VoxelStatistics?
  ) throws(Fault) -> MaskChoice {
    var value = parameters.threshold ?? 0
    if let statistics { value = try method.threshold(of: statistics) }
    if method != .fixed { value *= parameters.correction }
    if let bound = parameters.lowerBound { value = max(value, bound) }
    if let bound = parameters.upperBound { value = min(value, bound) }
    return MaskChoice(
      threshold: value, kernel: AboveThreshold(threshold: value, inclusive: parameters.inclusive))
  }

  private var objectRules: ObjectRules? {
    let filters =
      parameters.minSize != nil || parameters.maxSize != nil || parameters.clearBorder
    if !parameters.objects && !filters { return nil }
    return ObjectRules(
      connectivity: Connectivity(rawValue: parameters.connectivity.rawValue) ?? .full,
      minimumSize: parameters.minSize, maximumSize: parameters.maxSize,
      clearsBorder: parameters.clearBorder, numbers: parameters.objects)
  }

  private var labelType: LabelType? { LabelType(rawValue: parameters.dtype.rawValue) }

  private func checkThreshold() throws(Fault) {
    if method == .fixed && parameters.threshold == nil {
      throw Fault(
        .usage, "", "`method` is `fixed`, but there is no `threshold`",
        hint: "give `--threshold VALUE`, or choose a method such as `--method otsu`")
    }
    if method != .fixed, let threshold = parameters.threshold {
      throw Fault(
        .usage, "", "`threshold` is \(threshold), but `method` is `\(method.rawValue)`",
        hint: "give one of them only")
    }
    if let low = parameters.lowerBound, let high = parameters.upperBound, low > high {
      throw Fault(.usage, "", "`lower_bound` is \(low), above `upper_bound` \(high)")
    }
  }

  private func checkSizes() throws(Fault) {
    if let low = parameters.minSize, let high = parameters.maxSize, low > high {
      throw Fault(.usage, "", "`min_size` is \(low), above `max_size` \(high)")
    }
  }
}

/// Voxels above a threshold.
private struct AboveThreshold: MaskKernel {
  let threshold: Double
  let inclusive: Bool

  func mask<V: Voxel>(
    _ voxels: UnsafePointer<V>, _ mask: UnsafeMutablePointer<UInt8>, count: Int
  ) {
    guard let lowest = V.lowest(above: threshold, inclusive: inclusive) else {
      return mask.update(repeating: 0, count: count)
    }
    for index in 0..<count { mask[index] = voxels[index] >= lowest ? 1 : 0 }
  }
}
