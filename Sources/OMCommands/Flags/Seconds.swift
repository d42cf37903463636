import ArgumentParser

/// A number of seconds that a flag takes: whole, from 0 to ten years.
struct Seconds: Sendable, Equatable, ExpressibleByArgument, CustomStringConvertible {
  /// The number.
  let count: Int

  /// Makes a number of seconds.
  init(_ count: Int) { self.count = count }

  /// Reads the value of a flag; nil for anything but a whole number in the range.
  init?(argument: String) {
    guard let count = Int(argument), 0...315_360_000 ~= count else { return nil }
    self.count = count
  }

  var description: String { String(count) }
}
