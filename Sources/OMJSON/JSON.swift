/// A JSON value that keeps what other writers put there: the order of members and the text of numbers.
///
/// Documents of OME-Zarr are edited by replacing one subtree, so everything foreign has to survive
/// reading and writing; `12345678901234567890` or `1.50` would not survive as a `Double`.
public enum JSON: Sendable, Equatable {
  /// The value `null`.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// A number as it was read; also the tokens `NaN`, `Infinity` and `-Infinity` where they are allowed.
  case number(String)
  /// Text without its escapes.
  case string(String)
  /// A list.
  case array([JSON])
  /// Members in the order in which they were read.
  case object(JSONObject)

  /// A whole number.
  public init(_ value: some BinaryInteger) {
    self = .number(String(value))
  }

  /// A number in its shortest exact form; what is not finite becomes a string, as Zarr writes it.
  public init(_ value: Double) {
    if value.isFinite {
      self = .number(String(value))
    } else {
      self = .string(value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity")
    }
  }
}

// MARK: - What a value holds

extension JSON {
  /// The members when this is an object.
  public var objectValue: JSONObject? {
    if case .object(let value) = self { value } else { nil }
  }

  /// The elements when this is a list.
  public var arrayValue: [JSON]? {
    if case .array(let value) = self { value } else { nil }
  }

  /// The text when this is a string.
  public var stringValue: String? {
    if case .string(let value) = self { value } else { nil }
  }

  /// The truth value when this is `true` or `false`.
  public var boolValue: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  /// The number when it is written as a whole number and fits; `3.0` and `3e0` are nil.
  public var intValue: Int? {
    if case .number(let text) = self { Int(text) } else { nil }
  }

  /// The number when it fits; with `integral`, `3.0` counts as the whole number 3 too.
  public func intValue(integral: Bool) -> Int? {
    if let exact = intValue { return exact }
    // From 2^53 on the text may have been rounded, so the number may not be the one that was meant.
    guard integral, let value = doubleValue, value.magnitude < 0x1p53 else { return nil }
    return Int(exactly: value)
  }

  /// The number when it is written as a whole number of 0 or more and fits.
  public var uint64Value: UInt64? {
    if case .number(let text) = self { UInt64(text) } else { nil }
  }

  /// The number, rounded to the nearest `Double`; NaN and infinities for their tokens.
  public var doubleValue: Double? {
    if case .number(let text) = self { Double(text) } else { nil }
  }

  /// The member of this name when this is an object that has it.
  public subscript(key: String) -> JSON? { objectValue?[key] }

  /// What kind of value this is, for messages: `a list`.
  public var kindName: String {
    switch self {
    case .null: "null"
    case .bool: "a truth value"
    case .number: "a number"
    case .string: "a string"
    case .array: "a list"
    case .object: "an object"
    }
  }

  /// The value in one short line for messages, cut where it gets long.
  public var excerpt: String {
    switch self {
    case .array(let elements) where elements.count > 16: "a list of \(elements.count)"
    case .object(let object) where object.count > 4: "an object of \(object.count) members"
    default: text().count > 80 ? text().prefix(77) + "..." : text()
    }
  }
}

// MARK: - Documents written in Swift

extension JSON: ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral
{
  /// A string.
  public init(stringLiteral value: String) { self = .string(value) }

  /// A whole number.
  public init(integerLiteral value: Int) { self.init(value) }

  /// A number.
  public init(floatLiteral value: Double) { self.init(value) }

  /// A truth value.
  public init(booleanLiteral value: Bool) { self = .bool(value) }

  /// A list.
  public init(arrayLiteral elements: JSON...) { self = .array(elements) }

  /// An object with its members in this order.
  ///
  /// - Precondition: No key appears twice.
  public init(dictionaryLiteral elements: (String, JSON)...) {
    self = .object(JSONObject(members: elements.map { (key: $0, value: $1) }))
  }
}
