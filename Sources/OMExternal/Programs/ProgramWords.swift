import Glibc
import OMJSON
import OMManifest

/// The words that start a task's program, and the variables that its environment wants.
struct ProgramWords: Sendable {
  /// The path of the program and its arguments.
  private(set) var words: [String] = []
  /// The variables.
  private(set) var variables: ChildVariables

  private static let pythons = ["python", "python3"]

  /// Finds the program.
  ///
  /// - Parameters:
  ///   - command: The program and its arguments, as the manifest says.
  ///   - environment: Where to look the program up.
  ///   - folder: The folder of the manifest.
  ///   - python: The interpreter that the call asks for instead of that of the manifest.
  ///   - variables: The variables of children.
  /// - Throws: A fault of kind `manifest` when there is no such program, `path` when a path leaves
  ///   the folder.
  init(
    _ command: [String], in environment: (home: ProgramTraits.Home, path: String)?,
    folder: String, python: String?, variables: ChildVariables
  ) throws(Fault) {
    self.variables = variables
    var words = command
    for index in words.indices where index > 0 || words[index].contains("/") {
      words[index] = try Self.located(words[index], folder, isProgram: index == 0)
    }
    let isPython = Self.pythons.contains(words[0])
    if let python, isPython {
      guard let path = Self.find(python, self.variables) else {
        throw Fault(.usage, "--python", "there is no program `\(python)`")
      }
      self.words = [path] + words.dropFirst()
      return
    }
    if let python, !isPython {
      throw Fault(
        .usage, "--python", "`\(python)` is given, but the task is run by `\(command[0])`")
    }
    if let environment {
      let place =
        environment.path.hasPrefix("/") ? environment.path : folder + "/" + environment.path
      try Self.check(environment.home, place)
      words = enter(environment.home, place, words, folder)
    }
    guard let path = Self.find(words[0], self.variables) else {
      throw Fault(
        .manifest, "", "the program `\(words[0])` of the task is not there",
        hint: isPython ? "`--python FILE` names another interpreter" : nil)
    }
    self.words = [path] + words.dropFirst()
  }

  /// Refuses an environment that is not there: `PATH` would find another program in its stead.
  ///
  /// pixi and apptainer say so themselves.
  private static func check(_ home: ProgramTraits.Home, _ place: String) throws(Fault) {
    guard home == .venv || home == .conda, access("\(place)/bin", F_OK) != 0 else { return }
    throw Fault(
      .manifest, "", "the \(home.rawValue) environment `\(place)` of the task is not there",
      hint: "make it, or name another interpreter by `--python FILE`")
  }

  /// The words within an environment; sets the variables that go with it.
  private mutating func enter(
    _ home: ProgramTraits.Home, _ place: String, _ words: [String], _ folder: String
  ) -> [String] {
    switch home {
    case .venv, .conda:
      let path = variables.values["PATH"].map { ":\($0)" } ?? ""
      variables.set("PATH", "\(place)/bin\(path)")
      variables.set(home == .venv ? "VIRTUAL_ENV" : "CONDA_PREFIX", place)
      return words
    case .pixi:
      return ["pixi", "run", "--manifest-path", place, "--"] + words
    case .apptainer:
      return ["apptainer", "exec", "--bind", folder, place] + words
    }
  }

  /// A word of the command; one that names a file in the folder becomes its path.
  private static func located(
    _ word: String, _ folder: String, isProgram: Bool
  ) throws(Fault) -> String {
    if word.hasPrefix("/") || word.isEmpty || word.hasPrefix("-") { return word }
    let leaves = word.split(separator: "/").contains("..")
    if leaves && isProgram {
      throw Fault(.path, word, "the program of a task lies below the folder of its manifest")
    }
    let path = "\(folder)/\(word)"
    return isProgram || !leaves && access(path, F_OK) == 0 ? path : word
  }

  /// The path of a program by the variable `PATH`, or of a path if it can be started.
  static func find(_ name: String, _ variables: ChildVariables) -> String? {
    if name.contains("/") { return access(name, X_OK) == 0 ? name : nil }
    let folders = variables.values["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
    for folder in folders.split(separator: ":") {
      let path = "\(folder)/\(name)"
      var facts = stat()
      if stat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG, access(path, X_OK) == 0 {
        return path
      }
    }
    return nil
  }
}
