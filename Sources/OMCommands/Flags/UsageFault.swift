import ArgumentParser
import OMJSON

/// ArgumentParser's own errors in our words.
enum UsageFault {
  /// The fault for what ArgumentParser says about a call.
  ///
  /// - Parameters:
  ///   - message: Its message, such as `Unknown option '--jsn'. Did you mean '--json'?`
  ///   - help: The call that shows help for the command, such as `omtask info --help`.
  /// - Returns: A fault of kind `usage`.
  static func from(message: String, help: String) -> Fault {
    var text = message.split(separator: "\n").joined(separator: " ")
    var suggestion: String?
    for opening in [" Did you mean ", " Please provide "] {
      guard let place = text.firstRange(of: opening) else { continue }
      suggestion = String(text[place.lowerBound...].dropFirst())
      text = String(text[..<place.lowerBound])
    }
    while text.hasSuffix(".") || text.hasSuffix(":") { text.removeLast() }
    let hint = [suggestion.map { lowercasedFirst(withoutStop($0)) }, "`\(help)` shows all flags"]
    return Fault(
      .usage, "", backticked(lowercasedFirst(text)),
      hint: backticked(
        hint.compactMap { $0 }.joined(separator: suggestion?.hasSuffix("?") == true ? " " : "; ")))
  }

  private static func withoutStop(_ text: String) -> String {
    text.hasSuffix(".") ? String(text.dropLast()) : text
  }

  private static func lowercasedFirst(_ text: String) -> String {
    text.prefix(1).lowercased() + text.dropFirst()
  }

  /// The text with `'word'` in backticks; an apostrophe inside a word stays.
  private static func backticked(_ text: String) -> String {
    let characters = Array(text)
    var result = ""
    for (place, character) in characters.enumerated() {
      let before = place > 0 ? characters[place - 1] : " "
      let after = place + 1 < characters.count ? characters[place + 1] : " "
      let inside = (before.isLetter || before.isNumber) && (after.isLetter || after.isNumber)
      result.append(character == "'" && !inside ? "`" : character)
    }
    return result
  }
}
