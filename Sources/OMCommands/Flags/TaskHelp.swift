import OMJSON
import OMManifest

/// Help for a command, and for a task under a command: the manifest's parameters among the flags.
enum TaskHelp {
  /// Help for `omtask run threshold --help`.
  ///
  /// - Parameters:
  ///   - manifest: The task.
  ///   - word: How the call names it.
  ///   - command: The command.
  ///   - columns: The width of the terminal.
  /// - Returns: The text.
  static func text(
    of manifest: Manifest, called word: String, command: CommandDescription, columns: Int
  ) -> String {
    var help = HelpText()
    help.opening = [
      "\(manifest.name): \(manifest.traits.summary)", "",
      "  omtask \(command.name) \(word) \(manifest.takesImages ? "<uri> ..." : "--output <dir>") "
        + "[--<parameter> <value> ...]",
    ]
    // A preview hands flags that a task has as parameters on to it; the level is its own.
    let taken = Set(command.flags).intersection(["level"])
    let parameters = manifest.traits.groups.map { group in
      let all = group.parameters.compactMap { manifest.parameters[$0] }
      return HelpText.Section(group.title, all.filter { !taken.contains($0.flag) }.map(row))
    }
    var own = Set(manifest.parameters.userDeclarations.map(\.flag)).subtracting(taken)
    if manifest.traits.contract == .image {
      // Parameters of other programs may have the names of flags; then the flags stay.
      own = own.subtracting(Manifest.runFlags)
    }
    own.formUnion(manifest.unheardFlags)
    let folder = manifest.isWhole ? folderText(manifest) : nil
    let flags = sections(of: command, without: own, folder: folder)
      .filter { $0.title != "Arguments" }
    let shared = flags.map(\.title)
    let uris = HelpText.Section("Input", [("<uri> ...", "Images, plates or wells in OME-Zarr.")])
    // What only the task has stands between the input and the other headings of the flags.
    help.sections = merged(
      (manifest.takesImages ? [uris] : []) + parameters.filter { $0.title == "Input" }
        + flags.prefix(1)
        + parameters.filter { !shared.contains($0.title) }
        + parameters.filter { shared.dropFirst().contains($0.title) } + flags.dropFirst())
    help.closing = examples(manifest)
    return help.text(columns: columns)
  }

  /// Help for `omtask info --help`; with the command that it is `below`, for
  /// `omtask manifest test --help`.
  static func text(
    of command: CommandDescription, below parent: String? = nil, tasks: [Manifest], columns: Int
  ) -> String {
    var help = HelpText()
    let positional = command.arguments.filter { $0.flag == nil }.map(\.usage)
    let name = command.name == "omtask" ? "<command>" : command.name
    let call =
      ["omtask", parent, name].compactMap(\.self) + positional
      + (command.flags.isEmpty ? [] : ["[flags]"])
    help.opening = [command.abstract, "", "  " + call.joined(separator: " ")]
    if !command.discussion.isEmpty { help.opening += ["", command.discussion] }
    help.sections = sections(of: command)
    if !command.subcommands.isEmpty {
      help.sections.append(
        HelpText.Section("Commands", command.subcommands.map { ($0.name, $0.abstract) }))
    }
    help.sections.append(
      HelpText.Section("Tasks", tasks.map { ($0.identifier, $0.traits.summary) }))
    return help.text(columns: columns)
  }

  /// The arguments under their headings, in the order of declaration.
  private static func sections(
    of command: CommandDescription, without hidden: Set<String> = [], folder: String? = nil
  ) -> [HelpText.Section] {
    merged(
      command.arguments.filter { !hidden.contains($0.flag ?? "") }.map { argument in
        if argument.flag == "output", let folder {
          return HelpText.Section(argument.section, [("--output <dir>", folder)])
        }
        let ending = argument.defaultValue.map { " Default: \($0)." } ?? ""
        return HelpText.Section(argument.section, [(argument.usage, argument.text + ending)])
      })
  }

  /// What `--output` is to a task that has one folder for new images.
  private static func folderText(_ manifest: Manifest) -> String {
    let ending =
      manifest.takesImages
      ? "Default: the folder that holds the plate or image." : "Required."
    return "The folder that new OME-Zarrs go into (Fractal's `zarr_dir`), which exists. \(ending)"
  }

  /// Sections of one heading made one, where the first of them stands.
  private static func merged(_ sections: [HelpText.Section]) -> [HelpText.Section] {
    var merged: [HelpText.Section] = []
    for section in sections {
      if let place = merged.firstIndex(where: { $0.title == section.title }) {
        merged[place].rows += section.rows
      } else {
        merged.append(section)
      }
    }
    return merged
  }

  /// A parameter as it is written, and its meaning with unit, range, choices and default.
  static func row(_ parameter: ParameterDeclaration) -> (usage: String, text: String) {
    let isFlag = Manifest.runFlags.contains(parameter.flag)
    let usage =
      isFlag
      ? "\"\(parameter.name)\" (only in --args-json)"
      : "--\(parameter.flag)" + (placeholder(parameter).map { " <\($0)>" } ?? "")
    var facts = [parameter.description]
    if !parameter.choices.isEmpty {
      facts.append("One of \(parameter.choices.joined(separator: ", ")).")
    }
    if let range = parameter.range { facts.append("Allowed: \(range).") }
    switch parameter.defaultValue {
    case .bool(true)?: facts.append("On by default, `--no-\(parameter.flag)` turns it off.")
    case .bool(false)?, nil: break
    case let value?: facts.append("Default: \(value.stringValue ?? value.text()).")
    }
    if parameter.isRequired { facts.append("Required.") }
    return (usage, facts.joined(separator: " "))
  }

  /// What stands for the value: its unit, or what kind of value it is; nil for a switch.
  private static func placeholder(_ parameter: ParameterDeclaration) -> String? {
    if !parameter.choices.isEmpty { return "choice" }
    let kind: String? =
      switch parameter.type {
      case .boolean: nil
      case .integer: "n"
      case .number: "number"
      case .string: "text"
      case .strings: "text,..."
      case .integers: "n,..."
      case .numbers: "number,..."
      case .json: "json"
      }
    return kind.map { parameter.unit ?? $0 }
  }

  private static func examples(_ manifest: Manifest) -> [String] {
    if manifest.traits.examples.isEmpty { return [] }
    return ["Examples"]
      + manifest.traits.examples.flatMap { ["  \($0.text)", "    \($0.command)"] }
  }
}
