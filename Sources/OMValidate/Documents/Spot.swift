import OMJSON

/// A value of a document with its place.
struct Spot: Sendable {
  let value: JSON
  let pointer: JSONPointer

  init(_ value: JSON, _ pointer: JSONPointer = JSONPointer()) {
    self.value = value
    self.pointer = pointer
  }

  /// The member of this name; nil when there is none.
  subscript(key: String) -> Spot? {
    value[key].map { Spot($0, pointer.appending(key)) }
  }

  /// The members when this is an object.
  var members: [(key: String, spot: Spot)] {
    (value.objectValue?.members ?? []).map { ($0.key, Spot($0.value, pointer.appending($0.key))) }
  }

  /// The elements when this is a list.
  var elements: [Spot] {
    (value.arrayValue ?? []).enumerated().map { Spot($1, pointer.appending("\($0)")) }
  }
}

extension JSON {
  /// A number that is finite, as JSON knows them.
  var finiteValue: Double? { doubleValue.flatMap { $0.isFinite ? $0 : nil } }

  /// A whole number; `3.0` is one, as for JSON schemas.
  var wholeValue: Int? { intValue(integral: true) }

  /// Whether this is a list of four whole numbers from 0 to 255.
  var isColor: Bool {
    guard let elements = arrayValue, elements.count == 4 else { return false }
    return elements.allSatisfy { $0.wholeValue.map { 0...255 ~= $0 } ?? false }
  }

  /// The same value in one form: members sorted, numbers by value.
  var canonical: JSON {
    switch self {
    case .number: finiteValue.map { JSON($0) } ?? self
    case .array(let elements): .array(elements.map(\.canonical))
    case .object(let object):
      .object(
        JSONObject(
          members: object.members.sorted { $0.key < $1.key }
            .map { (key: $0.key, value: $0.value.canonical) }))
    default: self
    }
  }
}

extension JSONShape where Value == Int {
  /// A whole number, also written as `3.0`.
  static var whole: Self { Self("a whole number") { $0.wholeValue } }
  /// A whole number of 0 or more.
  static var count: Self {
    Self("a whole number of 0 or more") { $0.wholeValue.flatMap { $0 >= 0 ? $0 : nil } }
  }
  /// A whole number of 1 or more.
  static var positive: Self {
    Self("a whole number of 1 or more") { $0.wholeValue.flatMap { $0 > 0 ? $0 : nil } }
  }
}

extension JSONShape where Value == Double {
  /// A number that is finite.
  static var finite: Self { Self("a number") { $0.finiteValue } }
}

extension JSONShape where Value == [Double] {
  /// A list of finite numbers.
  static var vector: Self {
    Self("a list of numbers") { json in
      guard let elements = json.arrayValue else { return nil }
      let numbers = elements.compactMap(\.finiteValue)
      return numbers.count == elements.count ? numbers : nil
    }
  }
}

extension JSONShape where Value == [Int] {
  /// A list of whole numbers of 0 or more.
  static var indices: Self {
    Self("a list of whole numbers of 0 or more") { json in
      guard let elements = json.arrayValue else { return nil }
      let numbers = elements.compactMap(\.wholeValue).filter { $0 >= 0 }
      return numbers.count == elements.count ? numbers : nil
    }
  }
}
