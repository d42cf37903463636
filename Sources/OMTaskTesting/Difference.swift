/// Two ways to cut the same work that gave different results: the first place where they differ.
///
/// It is thrown by ``Trials``; tests show its description.
public struct Difference: Error, Sendable, Equatable, CustomStringConvertible {
  /// What differs, where, and both values, in one sentence.
  public var message: String
  /// The first voxel that differs by the letter of its axis, in the order of the axes; empty when
  /// something else differs.
  public var place: [Place] = []
  /// Its value in the reference.
  public var expected: String?
  /// Its value in the trial.
  public var found: String?
  /// What was computed on: type and size of the voxels.
  public var sample = ""
  /// How the reference was cut.
  public var reference = ""
  /// How the trial was cut.
  public var trial = ""
  /// The seed that repeats this round alone.
  public var seed = 0

  /// An index along one axis.
  public struct Place: Sendable, Equatable {
    /// The letter of the axis.
    public var axis: String
    /// The index.
    public var index: Int

    /// Makes a place.
    public init(axis: String, index: Int) {
      self.axis = axis
      self.index = index
    }
  }

  init(_ message: String) { self.message = message }

  /// The first voxel that differs.
  init(
    of what: String, place: [Place], expected: String, found: String
  ) {
    let shown = place.map { "\($0.axis)=\($0.index)" }.joined(separator: " ")
    message =
      "the first voxel that differs: \(what), \(shown): \(expected) in the reference, \(found) in the trial"
    (self.place, self.expected, self.found) = (place, expected, found)
  }

  /// The lines for people, without the seed.
  package var lines: [String] {
    [message]
      + [("sample", sample), ("reference", reference), ("trial", trial)].filter { $0.1 != "" }
      .map { "  \($0.0): \($0.1)" }
  }

  /// Everything, a line each.
  public var description: String {
    (lines + ["  `Trials(rounds: 1, seed: \(seed))` repeats this round alone"])
      .joined(separator: "\n")
  }
}
