public import OMJSON

/// The type of a parameter's value.
public enum ParameterType: String, Sendable, CaseIterable {
  case boolean, integer, number, string
  /// A list of strings.
  case strings
  /// A list of integers.
  case integers
  /// A list of numbers.
  case numbers
  /// Any JSON value that fits a schema: an object, a list of objects, one of several forms.
  case json

  /// Whether the value is a list.
  public var isList: Bool { [.strings, .integers, .numbers].contains(self) }

  /// The type as a person would say it, with its article.
  public var phrase: String {
    switch self {
    case .boolean: "true or false"
    case .integer: "an integer"
    case .number: "a number"
    case .string: "a text"
    case .strings: "a list of texts"
    case .integers: "a list of integers"
    case .numbers: "a list of numbers"
    case .json: "a JSON value"
    }
  }
}

/// One parameter as the manifest declares it.
public struct ParameterDeclaration: Sendable, Equatable {
  /// The key in the args JSON, such as `min_size`.
  public let name: String
  /// The heading in forms.
  public let title: String
  /// What it means, in markdown.
  public let description: String
  /// The type of its value.
  public let type: ParameterType
  /// The texts that are allowed; empty when any is.
  public let choices: [String]
  /// The value when none is given; nil when there is none.
  public internal(set) var defaultValue: JSON?
  /// The smallest number allowed.
  public let minimum: Double?
  /// The largest number allowed.
  public let maximum: Double?
  /// Whether a value must be given.
  public internal(set) var isRequired: Bool
  /// The unit of the number, such as `voxels`.
  public let unit: String?
  /// Whether another value may give other voxels; false for what only steers the run.
  public let changesResult: Bool
  /// Whether null may stand beside the type.
  let isNullable: Bool
  /// What a value of the type `json` must fit.
  let fit: SchemaPlace?
  /// What a value must fit besides, where another part of the task has a parameter of this name.
  private(set) var others: [SchemaPlace] = []

  /// Makes it stand for the same parameter of another part, too: a value goes to both.
  mutating func join(_ other: ParameterDeclaration, _ place: SchemaPlace) {
    if other.isRequired { (isRequired, defaultValue) = (true, nil) }
    others.append(place)
  }

  /// Whether an empty text, as forms send it for an empty field, means that no value is given: it is
  /// not a number, and no name.
  var leavesOutEmptyText: Bool {
    switch type {
    case .boolean, .integer, .number: true
    case .string: isNullable || !choices.isEmpty
    case .strings, .integers, .numbers, .json: false
    }
  }

  /// Whether the workflow engine sets it (`zarr_url` …) and not the user.
  public var isReserved: Bool { Self.reservedNames.contains(name) }

  /// The command-line flag without its dashes, such as `min-size`.
  public var flag: String { String(name.map { $0 == "_" ? "-" : $0 }) }

  /// The allowed numbers in words, or nil when all are.
  public var range: String? {
    switch (minimum, maximum) {
    case (let low?, let high?): "\(canonicalNumber(low)) to \(canonicalNumber(high))"
    case (let low?, nil): "\(canonicalNumber(low)) or more"
    case (nil, let high?): "\(canonicalNumber(high)) or less"
    case (nil, nil): nil
    }
  }

  /// The arguments that a Fractal server sets by itself.
  static let reservedNames = ["zarr_url", "zarr_urls", "zarr_dir", "init_args"]
}

/// A schema within a document that its references lead into.
struct SchemaPlace: Sendable, Equatable {
  let schema: JSON
  let root: JSON

  /// Why a value does not fit; nil when it does.
  func problem(of value: JSON) -> String? {
    var fit = SchemaFit(root: root)
    return fit.problem(of: value, in: schema)
  }
}

/// The shortest decimal text of a number; whole numbers have no fraction.
func canonicalNumber(_ value: Double) -> String {
  let isWhole = value.rounded(.towardZero) == value && abs(value) < 9_007_199_254_740_992
  return isWhole ? "\(Int64(value))" : "\(value)"
}
