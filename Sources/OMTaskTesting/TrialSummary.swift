public import OMGrid
import OMJSON

/// What trials found.
public struct TrialSummary: Sendable {
  /// How many rounds were equal bit for bit.
  public private(set) var equal = 0
  /// The types of the voxels in these rounds.
  public private(set) var dataTypes: [DataType] = []
  /// The most regions that a round had.
  public private(set) var mostRegions = 0
  /// What the task says to samples that it did not take, with the type and size of each.
  public private(set) var refusals: [String] = []
  /// How many rounds could not be compared because of these.
  public internal(set) var refused = 0
  /// The first difference, which ends the trials; nil when all rounds were equal.
  public internal(set) var difference: Difference?

  init() {}

  mutating func add(_ sample: SampleImage, regions: Int) {
    equal += 1
    if !dataTypes.contains(sample.dataType) { dataTypes.append(sample.dataType) }
    mostRegions = max(mostRegions, regions)
  }

  mutating func refuse(_ sample: SampleImage, _ fault: Fault) {
    let text = "\(sample.text): \(fault.message)"
    if !refusals.contains(text) { refusals.append(text) }
  }
}
