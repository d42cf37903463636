/// The labels that touch a component of background: none, one, or several.
///
/// A commutative monoid, as all facts of components.
package struct Surroundings: BitwiseCopyable, Sendable, Equatable {
  /// The label; 0 when there is none.
  package private(set) var label: UInt64 = 0
  /// Whether there is another one too.
  package private(set) var isMixed = false

  /// No label.
  package init() {}

  init(label: UInt64, isMixed: Bool) {
    self.label = label
    self.isMixed = isMixed
  }

  /// The only label; nil when there is none, or several.
  package var only: UInt64? { label == 0 || isMixed ? nil : label }

  /// Adds a label; 0 is none.
  package mutating func add(_ other: UInt64) {
    if other == 0 || other == label { return }
    if label == 0 { label = other } else { isMixed = true }
  }

  /// Joins the surroundings of another piece of the same component.
  package mutating func join(_ other: Surroundings) {
    add(other.label)
    isMixed = isMixed || other.isMixed
  }
}
