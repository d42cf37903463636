/// What a member of a document must look like, and how it becomes a Swift value.
///
///     let shape = try document.required("shape", .integers, in: "0/zarr.json")
public struct JSONShape<Value>: Sendable {
  /// The name in messages: `a list of whole numbers`.
  public let name: String
  /// The Swift value, or nil when the JSON value has another shape.
  public let value: @Sendable (JSON) -> Value?

  /// Makes a shape.
  public init(_ name: String, _ value: @escaping @Sendable (JSON) -> Value?) {
    self.name = name
    self.value = value
  }
}

extension JSONShape where Value == String {
  /// A string.
  public static var string: Self { Self("a string") { $0.stringValue } }
}

extension JSONShape where Value == Bool {
  /// `true` or `false`.
  public static var bool: Self { Self("true or false") { $0.boolValue } }
}

extension JSONShape where Value == Int {
  /// A whole number.
  public static var integer: Self { Self("a whole number") { $0.intValue } }
}

extension JSONShape where Value == Double {
  /// A number.
  public static var number: Self { Self("a number") { $0.doubleValue } }
}

extension JSONShape where Value == JSONObject {
  /// An object.
  public static var object: Self { Self("an object") { $0.objectValue } }
}

extension JSONShape where Value == [JSON] {
  /// A list of anything.
  public static var array: Self { Self("a list") { $0.arrayValue } }
}

extension JSONShape where Value == [Int] {
  /// A list of whole numbers.
  public static var integers: Self { list("a list of whole numbers") { $0.intValue } }
}

extension JSONShape where Value == [Double] {
  /// A list of numbers.
  public static var numbers: Self { list("a list of numbers") { $0.doubleValue } }
}

extension JSONShape where Value == [String] {
  /// A list of strings.
  public static var strings: Self { list("a list of strings") { $0.stringValue } }
}

extension JSONShape where Value == [JSONObject] {
  /// A list of objects.
  public static var objects: Self { list("a list of objects") { $0.objectValue } }
}

extension JSONShape {
  /// A list whose elements all have one shape.
  private static func list<Element>(
    _ name: String, _ element: @escaping @Sendable (JSON) -> Element?
  ) -> Self where Value == [Element] {
    Self(name) { json in
      guard let elements = json.arrayValue else { return nil }
      let values = elements.compactMap(element)
      return values.count == elements.count ? values : nil
    }
  }
}

extension JSONObject {
  /// The value of a member that must be there.
  ///
  /// - Parameters:
  ///   - key: The member.
  ///   - shape: What it must look like.
  ///   - subject: The document, as messages should name it.
  /// - Returns: The Swift value.
  /// - Throws: A fault of kind `metadata` when the member is absent or has another shape.
  public func required<Value>(
    _ key: String, _ shape: JSONShape<Value>, in subject: String
  ) throws(Fault) -> Value {
    guard let json = self[key] else {
      throw Fault(.metadata, subject, "`\(key)` is missing, expected \(shape.name)")
    }
    guard let value = shape.value(json) else { throw mismatch(key, json, shape.name, subject) }
    return value
  }

  /// The value of a member that may be absent or null.
  ///
  /// - Parameters:
  ///   - key: The member.
  ///   - shape: What it must look like when it is there.
  ///   - subject: The document, as messages should name it.
  /// - Returns: The Swift value, or nil when there is none.
  /// - Throws: A fault of kind `metadata` when the member is there and has another shape.
  public func optional<Value>(
    _ key: String, _ shape: JSONShape<Value>, in subject: String
  ) throws(Fault) -> Value? {
    guard let json = self[key], json != .null else { return nil }
    guard let value = shape.value(json) else { throw mismatch(key, json, shape.name, subject) }
    return value
  }

  /// The fault of a member with the wrong shape.
  private func mismatch(
    _ key: String, _ json: JSON, _ expected: String, _ subject: String
  ) -> Fault {
    Fault(.metadata, subject, "`\(key)` is \(json.excerpt), expected \(expected)")
  }
}
