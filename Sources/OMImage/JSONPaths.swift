import OMJSON

extension JSONObject {
  /// The value below some keys.
  func value(at path: [String]) -> JSON? {
    path.dropFirst().reduce(path.first.flatMap { self[$0] }) { $0?[$1] }
  }

  /// Replaces the value below some keys, which must be there.
  mutating func set(_ value: JSON, at path: [String]) {
    guard let first = path.first else { return }
    if path.count == 1 { return self[first] = value }
    var inner = self[first]?.objectValue ?? JSONObject()
    inner.set(value, at: Array(path.dropFirst()))
    self[first] = .object(inner)
  }
}
