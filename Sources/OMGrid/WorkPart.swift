/// One of several processes that share work without talking to each other.
package struct WorkPart: Sendable, Hashable {
  /// Its number, from 0.
  package let index: Int
  /// How many there are.
  package let count: Int

  /// Names a part.
  ///
  /// - Returns: nil unless the number is one of `count` parts.
  package init?(_ index: Int, of count: Int) {
    guard count > 0, 0..<count ~= index else { return nil }
    self.index = index
    self.count = count
  }
}

extension WorkPart: CustomStringConvertible {
  /// `2/8`: the number, and how many there are.
  package var description: String { "\(index)/\(count)" }
}
