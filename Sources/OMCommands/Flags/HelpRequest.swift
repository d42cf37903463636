/// What a call asks help for, found before anything else is read.
///
/// Help must work in a call that is wrong or not complete, so it is looked for in the plain words.
enum HelpRequest: Equatable {
  /// `omtask --help`, `omtask help`.
  case program
  /// `omtask info --help`, `omtask help info`.
  case command(String)
  /// `omtask manifest test --help`, `omtask bench layouts --help`.
  case subcommand(String, of: String)
  /// `omtask run threshold --help`.
  case task(String, of: String)

  /// The request in the words of a call; nil when there is none.
  init?(_ words: [String]) {
    var words = Array(words.prefix { $0 != "--" })
    if words.first == "help" {
      words.removeFirst()
    } else if words.contains(where: { $0 == "--help" || $0 == "-h" }) {
      words.removeAll { $0 == "--help" || $0 == "-h" }
    } else {
      return nil
    }
    guard let command = words.first, !command.hasPrefix("-") else {
      self = .program
      return
    }
    let takesTask = ["run", "finalize", "plan", "preview"].contains(command)
    if takesTask, words.count > 1, !words[1].hasPrefix("-") {
      self = .task(words[1], of: command)
    } else if ["manifest", "tasks", "bench"].contains(command), words.count > 1,
      !words[1].hasPrefix("-")
    {
      self = .subcommand(words[1], of: command)
    } else {
      self = .command(command)
    }
  }
}
