public import OMJSON
public import OMManifest
public import OMTask

/// A task whose program reads and writes images by itself, as Fractal's tasks do.
///
/// It is started once for each image, for all images, or for each item of a list that another program
/// of the task has made: `PROGRAM --args-json FILE --out-json FILE`.
public final class ImageProgram: TaskProgram {
  /// The manifest.
  public let manifest: Manifest
  /// A digest of what decides the results besides parameters and images.
  public let fingerprint: String?
  private let traits: ImageProgramTraits
  private let folder: String
  private let commands: [TaskPart: [String]]
  private let variables: [String: String]
  private let children = RunningChildren()

  private static let python = "python3"

  /// Takes the program of a manifest; nothing is started.
  ///
  /// - Parameters:
  ///   - manifest: The manifest.
  ///   - file: Its file.
  ///   - variables: The variables of this process.
  /// - Throws: A fault of kind `manifest` when it is that of a task of another kind.
  public init(
    _ manifest: Manifest, file: String, variables: [String: String]
  ) throws(Fault) {
    guard let traits = manifest.traits.imageProgram else {
      throw Fault(.internal, file, "a task that is given voxels is taken for one that is not")
    }
    self.manifest = manifest
    self.traits = traits
    self.variables = variables
    folder = programFolder(of: file)
    var commands: [TaskPart: [String]] = [:]
    for part in TaskPart.allCases { commands[part] = Self.command(manifest, part) }
    // Only tasks that have one program are declared with our block.
    if let command = traits.command { commands[.each] = command }
    self.commands = commands
    var declaration = manifest.document
    // What is only for people changes no result.
    for key in ["docs_info", "docs_link", "tags", "category", "modality"] { declaration[key] = nil }
    let words = [.each, .whole].flatMap { commands[$0] ?? [] }
    fingerprint = programFingerprint(.object(declaration), words: words, folder: folder)
  }

  /// The words of the executable of a part: a Python file, or a program of its own.
  private static func command(_ manifest: Manifest, _ part: TaskPart) -> [String] {
    var words = shellWords(manifest.document["executable_\(part.rawValue)"]?.stringValue ?? "")
    guard let first = words.first else { return [] }
    if first.hasSuffix(".py") { return [python] + words }
    // Without a slash it would be looked up in `PATH`; Fractal means a file of the package.
    if !first.contains("/") { words[0] = "./" + first }
    return words
  }

  /// There are no voxels to give to such a task.
  public func bind(
    _ parameters: Parameters, _ surroundings: TaskSurroundings
  ) throws(Fault) -> any ImageTask {
    throw Fault(.internal, "", "\(manifest.identifier) reads images by itself")
  }

  /// Binds the task to its parameters, and finds the program.
  public func bindToImages(
    _ parameters: Parameters, _ surroundings: TaskSurroundings
  ) throws(Fault) -> (any WholeImageTask)? {
    guard let type = manifest.taskType else {
      let known = TaskType.allCases.map(\.rawValue).joined(separator: ", ")
      throw Fault(
        .unsupported, manifest.identifier,
        "the task is of the type `\(manifest.type)`, omtask runs the types \(known)")
    }
    var parts: [TaskPart: ImageProgramTask.Part] = [:]
    for part in type.parts { parts[part] = try bind(part, type, parameters, surroundings) }
    return ImageProgramTask(
      name: manifest.identifier, parts: parts, traits: traits, children: children)
  }

  private func bind(
    _ part: TaskPart, _ type: TaskType, _ parameters: Parameters, _ surroundings: TaskSurroundings
  ) throws(Fault) -> ImageProgramTask.Part {
    guard let command = commands[part], !command.isEmpty else {
      throw Fault(
        .manifest, manifest.identifier,
        "the task is of the type `\(type.rawValue)` and has no `executable_\(part.rawValue)`")
    }
    let words = try ProgramWords(
      command, in: traits.environment ?? environmentAround(command), folder: folder,
      python: surroundings.python, variables: ChildVariables(variables))
    var arguments = JSONObject()
    // What was not given is left to the program: only it knows its defaults for sure.
    for name in parameters.values.keys
    where parameters.given.contains(name) && manifest.hands(name, to: part) {
      arguments[name] = parameters.values[name]
    }
    return ImageProgramTask.Part(
      program: words, arguments: arguments, memory: manifest.processMemory(part),
      devices: manifest.needsGPU(part) ? Devices(variables) : nil)
  }

  /// The Python environment that the manifest was installed into; nil when it lies elsewhere.
  private func environmentAround(
    _ command: [String]
  ) -> (home: ProgramTraits.Home, path: String)? {
    guard command.first == Self.python, let place = folder.ranges(of: "/lib/python").last,
      folder[place.upperBound...].contains("/site-packages")
    else { return nil }
    let environment = String(folder[..<place.lowerBound])
    let python = "\(environment)/bin/\(Self.python)"
    return ProgramWords.find(python, ChildVariables(variables)) == nil ? nil : (.venv, environment)
  }

  /// Every program ends with its image.
  public func end() {}

  /// Ends all programs at once.
  public func abandon() { children.abandon() }
}
