public import OMJSON

/// Binds what was given on the command line and in the args JSON to a task's declarations.
///
/// The command line wins over the args JSON, which wins over the manifest's default. Null means
/// "not given".
public struct ParameterBinder: Sendable {
  /// One parameter of a command line: its name without the dashes in front, and the text that
  /// followed, or nil when nothing did.
  public typealias CommandLineValue = (name: String, text: String?)

  private let task: String
  private let schema: ArgsSchema

  /// Makes the binder of a task.
  public init(_ manifest: Manifest) {
    task = manifest.identifier
    schema = manifest.parameters
  }

  /// Binds and checks all values.
  ///
  /// - Parameters:
  ///   - commandLine: The task's parameters on the command line, in their order. Names may be
  ///     written with `-` or `_`; a boolean may stand alone or as `no-<name>`; a list may be
  ///     repeated or separated by commas.
  ///   - arguments: The args JSON. A list may be one text, as on the command line; an empty text is
  ///     "not given" where it cannot be a value.
  /// - Returns: A value, or null, for every parameter.
  /// - Throws: A fault of kind `usage` that names the parameter and both the value given and
  ///   what is allowed, or the nearest known name.
  public func bind(
    commandLine: [CommandLineValue] = [], arguments: JSONObject = JSONObject()
  ) throws(Fault) -> Parameters {
    var bound = try bind(arguments)
    var chosen = Set(bound.filter { $1 != schema[$0]?.defaultValue }.keys)
    for (name, value) in try bind(commandLine) {
      bound[name] = value
      chosen.insert(name)
    }
    var values = JSONObject()
    var resultValues = JSONObject()
    for declaration in schema.userDeclarations {
      let value = bound[declaration.name] ?? declaration.defaultValue
      if declaration.isRequired && value == nil {
        throw Fault(
          .usage, "", "\(task) needs `\(declaration.name)`, which is not given",
          hint: "add `--\(declaration.flag) <\(declaration.type.rawValue)>`")
      }
      values[declaration.name] = value ?? .null
      if declaration.changesResult { resultValues[declaration.name] = value ?? .null }
    }
    for (name, value) in bound.sorted(by: { $0.key < $1.key }) where schema[name] == nil {
      values[name] = value
      resultValues[name] = value
    }
    var reserved = JSONObject()
    for declaration in schema.declarations where declaration.isReserved {
      if let value = bound[declaration.name] { reserved[declaration.name] = value }
    }
    return Parameters(
      task: task, values: values, resultValues: resultValues, reserved: reserved,
      given: Set(bound.keys).subtracting(reserved.keys),
      chosen: chosen.subtracting(reserved.keys))
  }

  private func bind(_ arguments: JSONObject) throws(Fault) -> [String: JSON] {
    var bound: [String: JSON] = [:]
    for (key, value) in arguments.members {
      guard let declaration = schema[key] else {
        if !schema.isOpen { throw unknown(key, shown: key) }
        if value != .null { bound[key] = value }
        continue
      }
      let given = listed(value, declaration)
      if given == .null || (declaration.type.isList && given == []) { continue }
      if given == "" && declaration.leavesOutEmptyText { continue }
      bound[key] = try ParameterValue.canonical(given, for: declaration, named: key, task: task)
    }
    return bound
  }

  private func bind(_ commandLine: [CommandLineValue]) throws(Fault) -> [String: JSON] {
    var bound: [String: JSON] = [:]
    for (written, text) in commandLine {
      let flag = "--\(written)"
      let (declaration, given) = try read(written, text, flag)
      let value = try ParameterValue.canonical(given, for: declaration, named: flag, task: task)
      if let earlier = bound[declaration.name] {
        guard let old = earlier.arrayValue, let new = value.arrayValue else {
          throw Fault(
            .usage, "", "`\(flag)` is given twice, as \(earlier.text()) and as \(value.text())")
        }
        bound[declaration.name] = .array(old + new)
      } else {
        bound[declaration.name] = value
      }
    }
    return bound
  }

  /// The declaration that a flag means, and its value before any check.
  private func read(
    _ written: String, _ text: String?, _ flag: String
  ) throws(Fault) -> (ParameterDeclaration, JSON) {
    let name = String(written.map { $0 == "-" ? "_" : $0 })
    if let declaration = schema[name] {
      // A list of no elements would not be the same as no list, which is what null stands for.
      if let text, case let value = listed(.string(text), declaration), value != [] {
        return (declaration, value)
      }
      if declaration.type == .boolean, text == nil { return (declaration, .bool(true)) }
      throw Fault(
        .usage, "", "`\(flag)` stands without a value, \(task) needs \(declaration.type.phrase)")
    }
    if name.hasPrefix("no_"), let declaration = schema[String(name.dropFirst(3))],
      declaration.type == .boolean
    {
      if let text {
        throw Fault(.usage, "", "`\(flag)` takes no value, it is given `\(text)`")
      }
      return (declaration, .bool(false))
    }
    throw unknown(name, shown: flag)
  }

  /// The list that a text means where a list is wanted: what stands between its commas.
  private func listed(_ value: JSON, _ declaration: ParameterDeclaration) -> JSON {
    guard declaration.type.isList, let text = value.stringValue else { return value }
    let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { part in
      String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
    return parts.allSatisfy(\.isEmpty) ? [] : .array(parts.map { .string($0) })
  }

  /// The fault for a name that is not declared, with the nearest name that is.
  private func unknown(_ name: String, shown: String) -> Fault {
    let asFlag = shown.hasPrefix("--")
    let nearest = nearestName(name, in: schema.declarations.map(\.name))
    let suggestion = nearest.flatMap { schema[$0] }.map { asFlag ? "--\($0.flag)" : $0.name }
    let ending = "`omtask tasks show \(task)` lists all parameters"
    return Fault(
      .usage, "", "\(task) has no parameter `\(shown)`",
      hint: suggestion.map { "did you mean `\($0)`? \(ending)" } ?? ending)
  }
}
