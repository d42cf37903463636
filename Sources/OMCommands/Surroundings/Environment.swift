import OMJSON

/// The variables with which the program was started.
struct Environment: Sendable {
  private let values: [String: String]

  /// An environment with these variables.
  init(_ values: [String: String]) { self.values = values }

  /// The environment of this process as it was at its start.
  ///
  /// `/proc` lists all names; the C library's `environ` is a mutable global that Swift 6 refuses.
  static func ofThisProcess() -> Environment {
    let bytes = (try? readFile("/proc/self/environ")) ?? []
    let pairs = bytes.split(separator: 0).map { entry in
      let halves = entry.split(
        separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      return (
        String(decoding: halves[0], as: UTF8.self),
        String(decoding: halves.count > 1 ? halves[1] : [], as: UTF8.self)
      )
    }
    return Environment(Dictionary(pairs, uniquingKeysWith: { first, _ in first }))
  }

  /// The value of a variable; nil when it is not set.
  subscript(name: String) -> String? { values[name] }

  /// The value of a variable that holds a whole number; nil when it is not set or holds none.
  func number(_ name: String) -> Int? { values[name].flatMap { Int($0) } }

  /// All variables with their values.
  var all: [String: String] { values }

  /// The names of all variables.
  var names: some Collection<String> { values.keys }
}
