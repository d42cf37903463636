import OMJSON
import OMManifest

/// The words of a call that ArgumentParser does not know, sorted by the task's manifest.
///
/// Flags of the run are declared in Swift, parameters in the manifest. ArgumentParser takes out the
/// flags and hands over everything else in its order; here it becomes URIs and parameters.
struct ParameterWords {
  /// Images, plates and wells.
  private(set) var uris: [String] = []
  /// Parameters with their text, as ``ParameterBinder`` takes them.
  private(set) var values: [ParameterBinder.CommandLineValue] = []

  /// Sorts the words.
  ///
  /// - Parameters:
  ///   - words: What follows the name of the task.
  ///   - manifest: The task.
  ///   - flags: The flags of the command without dashes, for "did you mean".
  /// - Throws: A fault of kind `usage` for a name that is neither a parameter nor a flag, and for a
  ///   parameter without its value.
  init(_ words: [String], manifest: Manifest, flags: [String]) throws(Fault) {
    var rest = words[...]
    while let word = rest.popFirst() {
      if word == "--" {
        uris += rest
        return
      }
      if word.hasPrefix("-") && word != "-" {
        let parameter = try Parameter(word, manifest, flags)
        values.append((parameter.name, try parameter.value(&rest)))
      } else if word.isEmpty {
        throw Fault(.usage, "", "one of the images is an empty text")
      } else {
        uris.append(word)
      }
    }
  }
}

/// One word that names a parameter: `--min-size`, `--min_size=50`, `--no-objects`.
private struct Parameter {
  let word: String
  let name: String
  let inlineValue: String?
  let isBoolean: Bool
  let isNegated: Bool

  init(_ word: String, _ manifest: Manifest, _ flags: [String]) throws(Fault) {
    let body = word.drop { $0 == "-" }
    let halves = body.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    self.word = "--" + (halves.first ?? "")
    name = String(halves.first ?? "")
    inlineValue = halves.count > 1 ? String(halves[1]) : nil
    let key = String(name.map { $0 == "-" ? "_" : $0 })
    let negatedKey = key.hasPrefix("no_") ? String(key.dropFirst(3)) : ""
    isNegated = manifest.parameters[key] == nil && !negatedKey.isEmpty
    guard word.hasPrefix("--"), let declaration = manifest.parameters[isNegated ? negatedKey : key]
    else { throw Self.unknown(word, name, manifest, flags) }
    isBoolean = declaration.type == .boolean
  }

  /// The text of the value, taken from the words that follow when it is not in this one.
  func value(_ rest: inout ArraySlice<String>) throws(Fault) -> String? {
    if inlineValue != nil || isNegated { return inlineValue }
    if isBoolean {
      let next = rest.first?.lowercased()
      return next == "true" || next == "false" ? rest.popFirst() : nil
    }
    guard let next = rest.first else {
      throw Fault(.usage, "", "`\(word)` stands without a value")
    }
    if next.hasPrefix("--") {
      throw Fault(
        .usage, "", "`\(word)` stands without a value, `\(next)` follows",
        hint: "a value that begins with two dashes is written `\(word)=\(next)`")
    }
    return rest.popFirst()
  }

  private static func unknown(
    _ word: String, _ name: String, _ manifest: Manifest, _ flags: [String]
  ) -> Fault {
    let task = manifest.identifier
    let known = manifest.parameters.userDeclarations.map(\.flag) + flags
    let all = "`omtask run \(task) --help` lists all"
    let shown = word.split(separator: "=").first.map(String.init) ?? word
    return Fault(
      .usage, "", "\(task) has no parameter or flag `\(shown)`",
      hint: nearestName(name, in: known).map { "did you mean `--\($0)`? \(all)" } ?? all)
  }
}
