import OMJSON

/// The calls that a manifest shows must be calls that work.
enum ExampleRules {
  /// Checks the commands of all examples.
  ///
  /// - Parameters:
  ///   - task: The manifest.
  ///   - findings: Where mistakes go.
  static func check(_ task: Spot, _ findings: inout ManifestFindings) {
    let identifier = Manifest.identifier(of: task["name"]?.value.stringValue ?? "")
    let parameters = task["args_schema_parallel"]?["properties"]?.value.objectValue ?? [:]
    for example in task["omtask"]?["examples"]?.elements ?? [] {
      guard let spot = example["command"], let text = spot.value.stringValue else { continue }
      let words = shellWords(text)
      let start = ["omtask", "run", identifier]
      if !words.starts(with: start) {
        findings.error(
          .omtask, spot, "the example `\(text)` does not call this task",
          fix: "begin it with `\(start.joined(separator: " "))`")
        continue
      }
      for flag in unknownFlags(words.dropFirst(3), parameters) {
        let known =
          parameters.keys.map { $0.replacing("_", with: "-") } + Manifest.runFlags.sorted()
        findings.error(
          .omtask, spot, "the example has `--\(flag)`, which is no parameter and no flag",
          fix: nearestName(flag, in: known).map { "did you mean `--\($0)`?" })
      }
    }
  }

  /// Binds the values of all examples as a call would do; only for a manifest without mistakes.
  static func bind(_ manifest: Manifest, _ task: Spot, _ findings: inout ManifestFindings) {
    for example in task["omtask"]?["examples"]?.elements ?? [] {
      guard let spot = example["command"], let text = spot.value.stringValue else { continue }
      do throws(Fault) {
        _ = try ParameterBinder(manifest).bind(commandLine: values(text, manifest))
      } catch {
        findings.error(
          .omtask, spot, "the example does not work: \(error.message)", fix: error.hint)
      }
    }
  }

  private static func unknownFlags(
    _ words: ArraySlice<String>, _ parameters: JSONObject
  ) -> [String] {
    words.filter { $0.hasPrefix("--") }.map { flagName($0) }.filter { name in
      let key = name.replacing("-", with: "_")
      if parameters[key] != nil || Manifest.runFlags.contains(name) || name.isEmpty { return false }
      return
        !(key.hasPrefix("no_")
        && parameters[String(key.dropFirst(3))]?["type"] == "boolean")
    }
  }

  private static func flagName(_ word: String) -> String {
    String(word.dropFirst(2).prefix { $0 != "=" })
  }

  /// The parameters of a call with their texts; flags of the run are left out.
  private static func values(
    _ text: String, _ manifest: Manifest
  ) -> [ParameterBinder.CommandLineValue] {
    var values: [ParameterBinder.CommandLineValue] = []
    var rest = shellWords(text)[...].dropFirst(3)
    while let word = rest.popFirst() {
      guard word.hasPrefix("--") else { continue }
      let name = flagName(word)
      let key = name.replacing("-", with: "_")
      let type = manifest.parameters[key]?.type
      if type == nil && !key.hasPrefix("no_") { continue }
      if let place = word.firstIndex(of: "=") {
        values.append((name, String(word[word.index(after: place)...])))
      } else if type == nil || type == .boolean && !["true", "false"].contains(rest.first) {
        values.append((name, nil))
      } else {
        values.append((name, rest.popFirst()))
      }
    }
    return values
  }

}

/// The words of a command, as a shell splits them; quotes hold words together.
public func shellWords(_ text: String) -> [String] {
  var words: [String] = []
  var word: String?
  var quote: Character?
  for character in text {
    if let open = quote {
      if character == open { quote = nil } else { word = (word ?? "") + [character] }
    } else if character == "'" || character == "\"" {
      quote = character
      word = word ?? ""
    } else if character.isWhitespace {
      if let whole = word { words.append(whole) }
      word = nil
    } else {
      word = (word ?? "") + [character]
    }
  }
  return words + (word.map { [$0] } ?? [])
}
