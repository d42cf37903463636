import OMJSON

/// The parameters of a task, in the order in which the manifest declares them.
public struct ArgsSchema: Sendable, Equatable {
  /// The heading of the whole form.
  public let title: String
  /// All declared parameters, reserved ones included.
  public let declarations: [ParameterDeclaration]
  /// Whether there may be parameters that are not declared; they go to the program as they are.
  let isOpen: Bool

  /// Reads a Fractal args schema.
  ///
  /// Only flat parameters are known: boolean, integer, number, string, lists of strings, integers
  /// or numbers, choices of strings, and `anyOf` of one of these and null. Any other keyword is
  /// refused, because Fractal's form would refuse it too.
  ///
  /// - Parameters:
  ///   - document: The schema.
  ///   - traits: The manifest's `omtask` block, for units and for what steers only the run.
  ///   - subject: How to name the schema in an error.
  /// - Throws: A fault of kind `manifest` that names the parameter.
  init(_ document: JSON, traits: TaskTraits, subject: String) throws(Fault) {
    guard let schema = document.objectValue else {
      throw Fault(.manifest, subject, "the args schema is not an object")
    }
    try checkKeywords(schema, Self.topKeywords, subject)
    guard schema["type"]?.stringValue == "object",
      let properties = schema["properties"]?.objectValue
    else {
      throw Fault(.manifest, subject, "`type` is not \"object\", or `properties` is missing")
    }
    if schema["additionalProperties"]?.boolValue != false {
      throw Fault(
        .manifest, subject, "`additionalProperties` is not false, so typing errors would pass")
    }
    let required = (schema["required"]?.arrayValue ?? []).compactMap(\.stringValue)
    if let stray = required.first(where: { properties[$0] == nil }) {
      throw Fault(.manifest, subject, "`required` names `\(stray)`, which is not declared")
    }
    title = schema["title"]?.stringValue ?? ""
    var declarations: [ParameterDeclaration] = []
    for (name, property) in properties.members {
      declarations.append(
        try ParameterDeclaration(
          name, property, isRequired: required.contains(name), traits: traits,
          subject: "\(subject).\(name)"))
    }
    self.declarations = declarations
    isOpen = false
  }

  /// Reads args schemas that were made for other programs, and may hold anything.
  ///
  /// - Parameters:
  ///   - documents: The schemas of all parts of a task; parameters of the same name are one.
  ///   - traits: What our block says of the parameters.
  ///   - isOpen: Whether a part has no schema, so that any parameter may be given.
  ///   - subject: How to name the schemas in an error.
  /// - Throws: A fault of kind `manifest` for what is no schema of an object.
  init(
    foreign documents: [JSON], traits: TaskTraits, isOpen: Bool, subject: String
  ) throws(Fault) {
    var declarations: [ParameterDeclaration] = []
    for document in documents {
      guard document.objectValue != nil else {
        throw Fault(.manifest, subject, "an args schema is \(document.kindName), not an object")
      }
      let required = document["required"]?.arrayValue ?? []
      for (name, property) in document["properties"]?.objectValue?.members ?? [] {
        let declaration = ParameterDeclaration(
          foreign: name, property, root: document,
          isRequired: required.contains(.string(name)), traits: traits)
        if let place = declarations.firstIndex(where: { $0.name == name }) {
          declarations[place].join(declaration, SchemaPlace(schema: property, root: document))
        } else {
          declarations.append(declaration)
        }
      }
    }
    self.declarations = declarations
    self.isOpen = isOpen
    title = documents.first?["title"]?.stringValue ?? ""
  }

  /// The declaration of a parameter, or nil when there is none of that name.
  public subscript(name: String) -> ParameterDeclaration? {
    declarations.first { $0.name == name }
  }

  /// The parameters that a user sets: all but the reserved ones.
  public var userDeclarations: [ParameterDeclaration] {
    declarations.filter { !$0.isReserved }
  }

  static let topKeywords = [
    "type", "title", "description", "properties", "required", "additionalProperties",
  ]
}

/// Refuses a schema keyword that neither we nor Fractal's form know.
func checkKeywords(_ schema: JSONObject, _ known: [String], _ subject: String) throws(Fault) {
  for key in schema.keys where !known.contains(key) {
    throw Fault(
      .manifest, subject, "the schema keyword `\(key)` is not known",
      hint: nearestName(key, in: known).map { "did you mean `\($0)`?" })
  }
}
