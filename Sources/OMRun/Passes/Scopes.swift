import OMJSON
import OMTask
import OMZarr

/// Which voxels share one threshold: the scopes of a label image and their numbers.
struct Scopes: Sendable {
  private let scope: StatisticsScope
  private let channelCount: Int
  private let planeCount: Int
  private let hasTime: Bool
  private let hasChannel: Bool
  private let hasDepth: Bool

  init(_ plan: LabelPlan) {
    scope = plan.recipe.scope
    let shape = plan.source.metadata.shape
    channelCount = plan.axes.channel.map { shape[$0] } ?? 1
    hasDepth = plan.axes.space.count == 3
    planeCount = hasDepth ? shape[plan.axes.space[0]] : 1
    hasTime = plan.axes.time != nil
    hasChannel = plan.axes.channel != nil
  }

  /// The number of the scope of a voxel.
  func number(time: Int, channel: Int, z: Int) -> Int {
    switch scope {
    case .volume: time * channelCount + channel
    case .plane: (time * channelCount + channel) * planeCount + z
    case .channel, .plate: channel
    case .image: 0
    }
  }

  /// The scope for people, for example `t=0 c=1`.
  func name(_ number: Int) -> String {
    var parts: [String] = []
    switch scope {
    case .volume, .plane:
      let volume = scope == .plane ? number / planeCount : number
      if hasTime { parts.append("t=\(volume / channelCount)") }
      if hasChannel { parts.append("c=\(volume % channelCount)") }
      if scope == .plane && hasDepth { parts.append("z=\(number % planeCount)") }
    case .channel, .plate:
      if hasChannel { parts.append("c=\(number)") }
    case .image:
      break
    }
    return parts.joined(separator: " ")
  }
}

/// The thresholds of a label image, by the number of the scope.
struct Choices: Sendable {
  let scopes: Scopes
  /// Every scope that was chosen for.
  private(set) var known: [Int: MaskChoice] = [:]
  /// Whether a scope was found in which all voxels have one value.
  private(set) var hasConstantScope = false
  private let fixed: MaskChoice?

  /// Choices that come one by one.
  init(_ scopes: Scopes) {
    self.scopes = scopes
    fixed = nil
  }

  /// One choice for every voxel.
  init(_ scopes: Scopes, fixed: MaskChoice) {
    self.scopes = scopes
    self.fixed = fixed
  }

  /// Choices that were made elsewhere.
  init(_ scopes: Scopes, known: [Int: MaskChoice]) {
    self.init(scopes)
    self.known = known
  }

  /// Chooses for every scope of a table.
  mutating func choose(_ recipe: LabelRecipe, from table: StatisticsTable) throws(Fault) {
    for number in table.numbers {
      guard let statistics = try table.statistics(of: number) else { continue }
      known[number] = try recipe.choose(statistics)
      if statistics.isConstant { hasConstantScope = true }
    }
  }

  mutating func add(_ other: Choices) {
    known.merge(other.known) { mine, _ in mine }
    hasConstantScope = hasConstantScope || other.hasConstantScope
  }

  /// The kernel for the voxels of a plane.
  func kernel(_ part: VolumePart, z: Int) throws(Fault) -> any MaskKernel {
    if let fixed { return fixed.kernel }
    let number = scopes.number(time: part.time, channel: part.channel, z: z)
    guard let choice = known[number] else {
      throw Fault(.internal, "", "scope \(scopes.name(number)) has no threshold")
    }
    return choice.kernel
  }

  /// The thresholds for the report, in the order of the scopes.
  var thresholds: [ScopeThreshold] {
    if let fixed { return fixed.threshold.map { [ScopeThreshold(scope: "", value: $0)] } ?? [] }
    return known.sorted { $0.key < $1.key }.compactMap { number, choice in
      choice.threshold.map { ScopeThreshold(scope: scopes.name(number), value: $0) }
    }
  }
}
