/// The way from the root of a document to a value, written as in RFC 6901: `/task_list/0/name`.
public struct JSONPointer: Sendable, Hashable {
  /// The keys and indices on the way; none for the whole document.
  public private(set) var steps: [String]

  /// The way to the whole document.
  public init() { steps = [] }

  /// The way to a member of the object, or to an element of the list, at this place.
  public func appending(_ step: String) -> JSONPointer {
    var longer = self
    longer.steps.append(step)
    return longer
  }

  /// The way to what holds the value at this place; nil for the whole document.
  public var parent: JSONPointer? {
    if steps.isEmpty { return nil }
    var shorter = self
    shorter.steps.removeLast()
    return shorter
  }

  /// Whether the value at this place is, or lies in, the value at the other.
  public func isWithin(_ other: JSONPointer) -> Bool { steps.starts(with: other.steps) }
}

extension JSONPointer: CustomStringConvertible {
  /// The pointer as text; empty for the whole document.
  public var description: String {
    steps.map { "/" + $0.replacing("~", with: "~0").replacing("/", with: "~1") }.joined()
  }
}
