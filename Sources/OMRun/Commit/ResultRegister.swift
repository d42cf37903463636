import OMJSON
import OMStore

/// What lists a result beside the image, or in a new plate, so that others find it.
protocol ResultRegister: Sendable {
  /// Refuses a place that cannot take the result, before it is made.
  ///
  /// *Local*, rank 0.
  func check() throws(Fault)
  /// Whether the result is found by all metadata above it.
  func isListed() throws(Fault) -> Bool
  /// Whether the nearest list names the result: then it must stay in its place.
  func isNamed() throws(Fault) -> Bool
  /// Makes the folder that will hold the result.
  ///
  /// *Local*, rank 0.
  ///
  /// - Parameters:
  ///   - stage: The folder of the stage, in which new documents are made.
  ///   - holder: The folder that holds the stages.
  /// - Throws: `exists` when something else is there by now, and what writing gives.
  func prepare(_ stage: OutputFolder, in holder: OutputFolder) throws(Fault)
  /// Lists the result, while no other process of ours changes the lists, and ngio neither.
  ///
  /// *Local*, rank 0.
  ///
  /// - Parameters:
  ///   - rules: How locks are taken.
  ///   - isDurable: Whether to wait for the disk.
  /// - Throws: Kind `locked` when another process keeps a lock, and what reading and writing throws.
  func add(_ rules: LockRules, isDurable: Bool) throws(Fault)
  /// Removes what a killed process left that was changing the lists, unless another one is about that.
  ///
  /// *Local*.
  func tidy()
}
