import OMJSON

/// In which order planes follow each other: which of z, c and t counts up first.
struct PlaneOrder: Sendable {
  private let axes: [Character]
  private let counts: [Int]

  /// An order such as `XYCZT`, of which the first two letters do not matter; nil for no order.
  init?(_ text: String, t: Int, c: Int, z: Int) {
    axes = Array(text.dropFirst(2).lowercased())
    guard text.uppercased().hasPrefix("XY"), axes.sorted() == ["c", "t", "z"] else { return nil }
    counts = axes.map { $0 == "t" ? t : $0 == "c" ? c : z }
  }

  /// How many planes there are.
  var count: Int { counts.reduce(1, *) }

  /// The number of a plane in this order.
  func number(t: Int, c: Int, z: Int) -> Int {
    var number = 0
    for (axis, count) in zip(axes, counts).reversed() {
      number = number * count + (axis == "t" ? t : axis == "c" ? c : z)
    }
    return number
  }

  /// The plane of a number.
  func plane(_ number: Int) -> (t: Int, c: Int, z: Int) {
    var rest = number
    var places: [Character: Int] = [:]
    for (axis, count) in zip(axes, counts) {
      places[axis] = rest % count
      rest /= count
    }
    return (places["t"] ?? 0, places["c"] ?? 0, places["z"] ?? 0)
  }
}
