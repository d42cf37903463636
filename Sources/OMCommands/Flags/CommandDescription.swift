import ArgumentParser
import OMJSON

/// A command with its flags as ArgumentParser knows them: the one declaration that help is made from.
struct CommandDescription {
  /// One flag, option or positional argument.
  struct Argument {
    /// How it is written in a call: `--threads <n|auto>`.
    let usage: String
    /// The name without dashes; nil for a positional argument.
    let flag: String?
    /// What it means.
    let text: String
    /// The value when it is not given.
    let defaultValue: String?
    /// The heading it stands under.
    let section: String
  }

  /// The name of the command.
  let name: String
  /// What it does.
  let abstract: String
  /// More about it.
  let discussion: String
  /// Its arguments in the order of declaration, without `--help`.
  let arguments: [Argument]
  /// The commands below it.
  let subcommands: [CommandDescription]

  /// The program with all commands.
  static func ofProgram() throws(Fault) -> CommandDescription {
    do {
      _ = try RootCommand.parseAsRoot(["--experimental-dump-help"])
    } catch {
      let text = RootCommand.message(for: error)
      let tool = try JSON(parsing: Array(text.utf8), subject: "the description of the flags")
      return CommandDescription(tool["command"] ?? .null)
    }
    throw Fault(.internal, "", "ArgumentParser gave no description of the flags")
  }

  /// The command of this name below this one.
  func subcommand(_ name: String) -> CommandDescription? {
    subcommands.first { $0.name == name }
  }

  /// The names of all flags without dashes.
  var flags: [String] { arguments.compactMap(\.flag) }

  private init(_ json: JSON) {
    name = json["commandName"]?.stringValue ?? ""
    abstract = json["abstract"]?.stringValue ?? ""
    discussion = json["discussion"]?.stringValue ?? ""
    arguments = (json["arguments"]?.arrayValue ?? []).map(Argument.init).filter {
      $0.flag != "help" && $0.flag != "version"
    }
    subcommands = (json["subcommands"]?.arrayValue ?? []).map(CommandDescription.init)
      .filter { $0.name != "help" }
  }
}

extension CommandDescription.Argument {
  init(_ json: JSON) {
    let value = json["valueName"]?.stringValue ?? ""
    let name = json["preferredName"]?["name"]?.stringValue
    flag = name
    switch json["kind"]?.stringValue {
    case "positional":
      let words = value.split(separator: " ").map { $0 == "..." ? "..." : "<\($0)>" }
      usage = words.joined(separator: " ")
    case "option" where value.hasPrefix("["):
      usage = "--\(name ?? "") [<\(value.filter { !"[]".contains($0) })>]"
    case "option": usage = "--\(name ?? "") <\(value)>"
    default: usage = "--\(name ?? "")"
    }
    let parts = [json["abstract"]?.stringValue, json["discussion"]?.stringValue]
    text = parts.compactMap { $0 }.joined(separator: " ")
    // The value in brackets is what counts when the flag stands alone.
    defaultValue = value.hasPrefix("[") ? nil : json["defaultValue"]?.stringValue
    section = json["sectionTitle"]?.stringValue ?? (name == nil ? "Arguments" : "Flags")
  }
}
