public import OMJSON

/// The values of a task's parameters, checked against its manifest.
public struct Parameters: Sendable, Equatable {
  /// The task they belong to, such as `threshold`.
  public let task: String
  /// Every parameter of the user in the order of the manifest; null where there is no value.
  public let values: JSONObject
  /// The values that decide the voxels of the result: `values` without what only steers the run.
  public private(set) var resultValues: JSONObject
  /// What the workflow engine set, such as `zarr_url`.
  public let reserved: JSONObject
  /// The names of the parameters that were given and not left to their default.
  public let given: Set<String>
  /// The names of the parameters that somebody chose.
  ///
  /// They are given on the command line, or with another value than their default: the forms of engines give
  /// every field, also those that nobody touched.
  public let chosen: Set<String>

  /// These parameters with the values that a task has in place of some that were left out, so that
  /// who leaves them out and who says the same asks for one result.
  public func settled(_ values: JSONObject) -> Parameters {
    var settled = self
    for (name, value) in values.members where resultValues[name] == .null {
      settled.resultValues[name] = value
    }
    return settled
  }

  /// The value of a parameter that always has one.
  ///
  /// - Throws: A fault of kind `internal` when the manifest declares no such parameter of this type.
  public func required<Value: ParameterReadable>(_ name: String) throws(Fault) -> Value {
    guard let value: Value = try optional(name) else {
      throw Fault(.internal, "", "parameter `\(name)` of \(task) has no value")
    }
    return value
  }

  /// The value of a parameter, or nil when it was neither given nor has a default.
  ///
  /// - Throws: A fault of kind `internal` when the manifest declares no such parameter of this type.
  public func optional<Value: ParameterReadable>(_ name: String) throws(Fault) -> Value? {
    guard let json = values[name] else {
      throw Fault(.internal, "", "\(task) has no parameter `\(name)`")
    }
    if json == .null { return nil }
    guard let value = Value(parameter: json) else {
      throw Fault(.internal, "", "parameter `\(name)` of \(task) is not a \(Value.self)")
    }
    return value
  }
}

/// A type that a parameter's value can be read as.
public protocol ParameterReadable {
  /// The value, or nil when the JSON is of another type.
  init?(parameter: JSON)
}

extension JSON: ParameterReadable {
  /// Takes the value as it is.
  public init?(parameter: JSON) { self = parameter }
}

extension Bool: ParameterReadable {
  /// Reads true or false.
  public init?(parameter: JSON) {
    guard let value = parameter.boolValue else { return nil }
    self = value
  }
}

extension Int: ParameterReadable {
  /// Reads an integer.
  public init?(parameter: JSON) {
    guard let value = parameter.intValue else { return nil }
    self = value
  }
}

extension Double: ParameterReadable {
  /// Reads a number.
  public init?(parameter: JSON) {
    guard let value = parameter.doubleValue else { return nil }
    self = value
  }
}

extension String: ParameterReadable {
  /// Reads a text.
  public init?(parameter: JSON) {
    guard let value = parameter.stringValue else { return nil }
    self = value
  }
}

extension Array: ParameterReadable where Element: ParameterReadable {
  /// Reads a list.
  public init?(parameter: JSON) {
    guard let items = parameter.arrayValue else { return nil }
    self = items.compactMap(Element.init(parameter:))
    if count != items.count { return nil }
  }
}

extension ParameterReadable where Self: RawRepresentable, RawValue == String {
  /// Reads one of the choices.
  public init?(parameter: JSON) {
    guard let text = parameter.stringValue else { return nil }
    self.init(rawValue: text)
  }
}
