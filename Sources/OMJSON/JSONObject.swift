/// The members of a JSON object in their order.
public struct JSONObject: Sendable {
  /// The members; each key appears once.
  public private(set) var members: [(key: String, value: JSON)]

  /// An object without members.
  public init() { members = [] }

  /// An object with these members.
  ///
  /// - Precondition: No key appears twice.
  public init(members: [(key: String, value: JSON)]) {
    precondition(JSONObject.hasEachKeyOnce(members), "a JSON object has each key only once")
    self.members = members
  }

  /// Whether no key appears twice; comparing few keys with each other is faster than hashing them.
  private static func hasEachKeyOnce(_ members: [(key: String, value: JSON)]) -> Bool {
    if members.count > 16 { return Set(members.map(\.key)).count == members.count }
    return members.indices.allSatisfy { place in
      members[..<place].allSatisfy { $0.key != members[place].key }
    }
  }

  /// Takes members that the parser has already checked.
  init(checked members: [(key: String, value: JSON)]) { self.members = members }

  /// The keys in their order.
  public var keys: [String] { members.map(\.key) }

  /// The number of members.
  public var count: Int { members.count }

  /// Whether there are no members.
  public var isEmpty: Bool { members.isEmpty }

  /// The value of a key.
  ///
  /// Setting keeps the place of a key that exists and appends one that does not; nil removes it.
  ///
  /// - Complexity: O(*n*) in the number of members.
  public subscript(key: String) -> JSON? {
    get {
      for member in members where member.key == key { return member.value }
      return nil
    }
    set {
      let place = members.firstIndex { $0.key == key }
      switch (place, newValue) {
      case (let place?, let value?): members[place].value = value
      case (let place?, nil): members.remove(at: place)
      case (nil, let value?): members.append((key: key, value: value))
      case (nil, nil): break
      }
    }
  }
}

extension JSONObject: Equatable {
  /// Whether both have the same members in the same order.
  public static func == (left: JSONObject, right: JSONObject) -> Bool {
    left.members.elementsEqual(right.members) { $0.key == $1.key && $0.value == $1.value }
  }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
  /// An object with its members in this order.
  ///
  /// - Precondition: No key appears twice.
  public init(dictionaryLiteral elements: (String, JSON)...) {
    self.init(members: elements.map { (key: $0, value: $1) })
  }
}
