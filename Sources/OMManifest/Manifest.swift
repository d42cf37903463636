public import OMJSON

/// The declaration of one task: a task entry of a Fractal manifest (version 2) with our own block.
public struct Manifest: Sendable, Equatable {
  /// The whole document, as it was read.
  public let document: JSONObject
  /// The name for people, such as `Gaussian Blur`.
  public let name: String
  /// The name on the command line and of the file, such as `gaussian-blur`.
  public let identifier: String
  /// The Fractal type, such as `parallel`.
  public let type: String
  /// The heading under which catalogues list the task.
  public let category: String
  /// Words to find the task by.
  public let tags: [String]
  /// Purpose, outputs and limitations, in markdown.
  public let documentation: String
  /// Which images the task takes, by type: absent types count as false.
  public let inputTypes: [String: Bool]
  /// The types of what it makes.
  public let outputTypes: [String: Bool]
  /// The parameters.
  public let parameters: ArgsSchema
  /// Our own block.
  public let traits: TaskTraits

  /// Reads and checks a manifest.
  ///
  /// - Parameters:
  ///   - text: The JSON text.
  ///   - subject: How to name the file in an error.
  /// - Throws: A fault of kind `manifest` that says which member is wrong.
  public init(text: String, subject: String) throws(Fault) {
    do throws(Fault) {
      let json = try JSON(parsing: Array(text.utf8), subject: subject)
      guard let document = json.objectValue else {
        throw Fault(.manifest, subject, "the manifest is \(json.kindName), not an object")
      }
      self.document = document
      name = try document.required("name", .string, in: subject)
      identifier = Self.identifier(of: name)
      type = try document.required("type", .string, in: subject)
      category = try document.required("category", .string, in: subject)
      tags = try document.optional("tags", .strings, in: subject) ?? []
      documentation = try document.required("docs_info", .string, in: subject)
      inputTypes = try Self.types("input_types", document, subject)
      outputTypes = try Self.types("output_types", document, subject)
      let block = try document.required("omtask", .object, in: subject)
      guard let schema = document["args_schema_parallel"] else {
        throw Fault(.manifest, subject, "`args_schema_parallel` is missing")
      }
      traits = try TaskTraits(
        block, parameters: Self.userParameters(schema), subject: "\(subject): omtask")
      let place = "\(subject): args_schema_parallel"
      parameters =
        traits.contract == .image
        ? try ArgsSchema(foreign: [schema], traits: traits, isOpen: false, subject: place)
        : try ArgsSchema(schema, traits: traits, subject: place)
    } catch {
      throw Fault(.manifest, error.subject, error.message, hint: error.hint)
    }
    try checkEntry(subject)
    try checkParameterNames(subject)
  }

  /// The names of the parameters that a user sets.
  static func userParameters(_ schema: JSON) -> [String] {
    (schema["properties"]?.objectValue?.keys ?? []).filter {
      !ParameterDeclaration.reservedNames.contains($0)
    }
  }

  /// The command-line name of a task with this name: lower case, words joined by `-`.
  public static func identifier(of name: String) -> String {
    name.lowercased().split(separator: " ").joined(separator: "-")
  }
}

// MARK: - Checks across members

extension Manifest {
  static func types(
    _ key: String, _ document: JSONObject, _ subject: String
  ) throws(Fault) -> [String: Bool] {
    let object = try document.optional(key, .object, in: subject) ?? [:]
    var types: [String: Bool] = [:]
    for name in object.keys {
      types[name] = try object.required(name, .bool, in: "\(subject): \(key)")
    }
    return types
  }

  private func checkEntry(_ subject: String) throws(Fault) {
    if type != "parallel" {
      throw Fault(
        .manifest, subject,
        "`type` is \"\(type)\", a task with the block `omtask` is of the type \"parallel\"",
        hint: "in a list of Fractal's (`task_list`) tasks of all types are run without the block")
    }
    if document["executable_parallel"]?.stringValue?.isEmpty ?? true {
      throw Fault(.manifest, subject, "`executable_parallel` is missing")
    }
    let letters = Set("abcdefghijklmnopqrstuvwxyz0123456789-")
    if identifier.isEmpty || !identifier.allSatisfy(letters.contains) {
      throw Fault(.manifest, subject, "`name` is \"\(name)\", only letters, digits and spaces work")
    }
    if category.isEmpty || tags.contains("") || Set(tags).count != tags.count {
      throw Fault(.manifest, subject, "`category` or a tag is empty, or a tag stands twice")
    }
  }

  private func checkParameterNames(_ subject: String) throws(Fault) {
    let declared = Set(parameters.userDeclarations.map(\.name))
    // Programs of others keep their names; what is a flag here comes by `--args-json` there.
    if traits.contract != .image,
      let taken = parameters.userDeclarations.first(where: { Self.runFlags.contains($0.flag) })
    {
      throw Fault(
        .manifest, subject, "the parameter `\(taken.name)` has the name of a flag of `omtask run`")
    }
    if parameters["zarr_url"]?.isRequired != true {
      throw Fault(.manifest, subject, "`zarr_url` is not among the required parameters")
    }
    let named = traits.groups.flatMap(\.parameters)
    let mentioned = named + traits.runOnly + Array(traits.units.keys)
    if let stray = mentioned.first(where: { !declared.contains($0) }) {
      throw Fault(.manifest, subject, "the omtask block names `\(stray)`, which is not declared")
    }
    for (axis, size) in traits.program?.halo.sorted(by: { $0.key < $1.key }) ?? [] {
      guard let name = size.parameter else { continue }
      if let type = parameters[name]?.type, type == .integer || type == .number { continue }
      throw Fault(
        .manifest, subject, "the halo along \(axis) names `\(name)`, which is no numeric parameter")
    }
    if let lonely = declared.subtracting(named).min() {
      throw Fault(.manifest, subject, "the parameter `\(lonely)` is in none of the groups")
    }
  }

  /// The flags of `omtask run` and `omtask plan`, which no parameter may shadow (`overwrite` is a
  /// parameter).
  public static let runFlags: Set<String> = [
    "input", "inputs", "wells", "acquisition", "select", "parts", "roi-table", "on-damage",
    "follow-links", "collection", "plain-names",
    "output", "fresh", "durability", "threads", "memory", "mpi", "part", "scratch", "fail-fast",
    "stop-before", "stall-timeout", "lock-wait", "args-json", "out-json", "events", "report",
    "progress", "dry-run", "limit", "ranks", "json", "help", "version", "python",
    "simulate", "ranks-per-node", "cost-model", "assume-single-writer",
  ]
}
