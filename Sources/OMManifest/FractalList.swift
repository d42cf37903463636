public import OMJSON

/// A Fractal manifest with a list of tasks, such as `__FRACTAL_MANIFEST__.json` of a package.
///
/// It is read as Fractal reads it: what only other readers want is not looked at. Tasks with a block
/// of ours are read by the rules for our own manifests.
public struct FractalList: Sendable {
  /// One task of the list.
  public struct Entry: Sendable {
    /// The name for people.
    public let name: String
    /// The name on the command line.
    public let identifier: String
    /// The task as it was read.
    public let document: JSONObject
  }

  /// The tasks in the order of the file.
  public let entries: [Entry]
  private let subject: String

  /// Whether a document is such a list.
  public static func isList(_ document: JSON) -> Bool { document["task_list"] != nil }

  /// Reads a list.
  ///
  /// - Throws: A fault of kind `manifest` when a task has no name, or two have the same.
  public init(_ document: JSON, subject: String) throws(Fault) {
    guard let list = document["task_list"]?.arrayValue, !list.isEmpty else {
      throw Fault(.manifest, subject, "`task_list` is no list of tasks")
    }
    var entries: [Entry] = []
    for task in list {
      guard let object = task.objectValue, let name = object["name"]?.stringValue else {
        throw Fault(.manifest, subject, "task \(entries.count + 1) of `task_list` has no `name`")
      }
      let identifier = Self.identifier(of: name)
      if let other = entries.first(where: { $0.identifier == identifier }) {
        throw Fault(
          .manifest, subject, "`\(other.name)` and `\(name)` are both `\(identifier)`")
      }
      entries.append(Entry(name: name, identifier: identifier, document: object))
    }
    self.entries = entries
    self.subject = subject
  }

  /// The task of a name, for people or on the command line; without a name the only one there is.
  ///
  /// - Throws: A fault of kind `usage` that names all tasks or the nearest.
  public func entry(_ name: String?) throws(Fault) -> Entry {
    let known = entries.map(\.identifier)
    guard let name else {
      if let only = entries.first, entries.count == 1 { return only }
      throw Fault(
        .usage, subject, "there are \(entries.count) tasks, none is named",
        facts: ["tasks: \(known.joined(separator: ", "))"],
        hint: "name one behind a `#`: `\(subject)#\(known[0])`")
    }
    if let entry = entries.first(where: { $0.identifier == name || $0.name == name }) {
      return entry
    }
    throw Fault(
      .usage, subject, "there is no task named `\(name)`",
      facts: ["tasks: \(known.joined(separator: ", "))"],
      hint: nearestName(name, in: known).map { "did you mean `\($0)`?" })
  }

  /// The command-line name of a task whose name may hold anything: its letters and digits, in lower
  /// case, with `-` for all between.
  public static func identifier(of name: String) -> String {
    let letters = name.lowercased().map { letter in
      letter.isASCII && (letter.isLetter || letter.isNumber) ? letter : " "
    }
    return String(letters).split(separator: " ").joined(separator: "-")
  }

  /// Reads a task.
  ///
  /// - Throws: A fault of kind `manifest` that says which member is wrong.
  public func manifest(_ entry: Entry) throws(Fault) -> Manifest {
    let subject = "\(subject)#\(entry.identifier)"
    if entry.document["omtask"] != nil {
      return try Manifest(text: JSON.object(entry.document).text(), subject: subject)
    }
    do throws(Fault) {
      return try Manifest(fractal: entry, subject: subject)
    } catch {
      throw Fault(.manifest, error.subject, error.message, hint: error.hint)
    }
  }
}

extension Manifest {
  /// Reads a task that knows nothing of us: its program works on whole images.
  fileprivate init(fractal entry: FractalList.Entry, subject: String) throws(Fault) {
    let document = entry.document
    self.document = document
    name = entry.name
    identifier = entry.identifier
    if identifier.isEmpty {
      throw Fault(.manifest, subject, "`name` is \"\(name)\", which has no letter and no digit")
    }
    var parts: [String] = []
    for kind in FractalTask.kinds
    where try document.optional("executable_\(kind)", .string, in: subject)?.isEmpty == false {
      parts.append(kind)
    }
    if parts.isEmpty { throw Fault(.manifest, subject, "there is no executable") }
    // Fractal server derives it in the same way.
    type =
      try document.optional("type", .string, in: subject)
      ?? (parts.count == 2 ? "compound" : parts[0])
    category = try document.optional("category", .string, in: subject) ?? ""
    tags = try document.optional("tags", .strings, in: subject) ?? []
    documentation = try document.optional("docs_info", .string, in: subject) ?? ""
    inputTypes = try Self.types("input_types", document, subject)
    outputTypes = try Self.types("output_types", document, subject)
    // The first of two programs comes first.
    let schemas = parts.reversed().compactMap { document["args_schema_\($0)"] }
      .filter { $0 != .null }
    let replaces = schemas.contains { $0["properties"]?["overwrite"]?["type"] == "boolean" }
    traits = TaskTraits(
      summary: Self.summary(of: documentation, else: category), contract: .image,
      resultVersion: 1, exactness: nil, passes: [], outputs: [], dataTypes: [], requiredAxes: [],
      optionalAxes: [],
      groups: Self.groups(schemas.map(Self.userParameters)),
      units: [:], runOnly: replaces ? ["overwrite"] : [], examples: [], program: nil,
      imageProgram: ImageProgramTraits.none)
    parameters = try ArgsSchema(
      foreign: schemas, traits: traits, isOpen: schemas.count < parts.count, subject: subject)
  }

  /// The parameters of one program under one heading; of two programs, which of them is given what.
  private static func groups(_ names: [[String]]) -> [TaskTraits.Group] {
    let first = names.first ?? []
    let second = names.count > 1 ? names[1] : []
    let groups =
      names.count < 2
      ? [("Parameters", first)]
      : [
        ("Parameters of the first program (once)", first.filter { !second.contains($0) }),
        ("Parameters of the second program (for each item)", second.filter { !first.contains($0) }),
        ("Parameters of both programs", first.filter(second.contains)),
      ]
    return groups.filter { !$0.1.isEmpty }.map { TaskTraits.Group(title: $0.0, parameters: $0.1) }
  }

  /// The first sentence that tells what a task does.
  private static func summary(of documentation: String, else category: String) -> String {
    for line in documentation.split(whereSeparator: \.isNewline) where !line.hasPrefix("#") {
      let text = line.drop { "-* \t".contains($0) }.filter { !"*`".contains($0) }
      if text.isEmpty { continue }
      let ending = text.hasSuffix(".") ? text.dropLast() : text[...]
      return ending.count > 100 ? ending.prefix(99) + "…" : String(ending)
    }
    return category.isEmpty ? "A task of a Fractal package" : "\(category) of a Fractal package"
  }
}

extension Manifest {
  /// Whether it is a task of somebody who knows nothing of us: it has no block of ours.
  public var isForeign: Bool { document["omtask"] == nil }

  /// The flags of a run that say something about voxels or results, which a program that works on
  /// images by itself does not hear of.
  public static let voxelFlags: Set<String> = [
    "select", "roi-table", "output", "plain-names", "on-damage",
  ]

  /// The flags of a run that this task does not hear of.
  public var unheardFlags: Set<String> {
    if traits.contract != .image {
      return traits.outputs.contains { $0.kind == "image" } ? [] : ["plain-names"]
    }
    var flags = Self.voxelFlags
    if isWhole { flags.remove("output") }
    if isWhole { flags.insert("part") }
    let reading: Set = ["input", "inputs", "wells", "acquisition", "follow-links"]
    if !takesImages { flags.formUnion(reading) }
    return flags
  }
}
