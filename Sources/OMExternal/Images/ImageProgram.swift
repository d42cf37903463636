public import OMJSON
public import OMManifest
public import OMTask

/// A task whose program reads and writes images by itself, as Fractal's tasks do.
///
/// It is started once for each image: `PROGRAM --args-json FILE --out-json FILE`.
public final class ImageProgram: TaskProgram {
  /// The manifest.
  public let manifest: Manifest
  /// A digest of what decides the results besides parameters and images.
  public let fingerprint: String?
  private let traits: ImageProgramTraits
  private let folder: String
  private let command: [String]
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
    command = traits.command ?? Self.command(manifest)
    var declaration = manifest.document
    // What is only for people changes no result.
    for key in ["docs_info", "docs_link", "tags", "category", "modality"] { declaration[key] = nil }
    fingerprint = programFingerprint(.object(declaration), words: command, folder: folder)
  }

  /// The words of `executable_parallel`: a Python file, or a program of its own.
  private static func command(_ manifest: Manifest) -> [String] {
    var words = shellWords(manifest.document["executable_parallel"]?.stringValue ?? "")
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
    if !manifest.isRunnable || command.isEmpty {
      throw Fault(
        .unsupported, manifest.identifier,
        "the task is of the type `\(manifest.type)`, omtask runs programs of the type `parallel`",
        hint: "run it in Fractal")
    }
    let words = try ProgramWords(
      command, in: traits.environment ?? environmentAround, folder: folder,
      python: surroundings.python, variables: ChildVariables(variables))
    var arguments = JSONObject()
    // What was not given is left to the program: only it knows its defaults for sure.
    for name in parameters.values.keys where parameters.given.contains(name) {
      arguments[name] = parameters.values[name]
    }
    let isForDevices = Self.isTrue(manifest.document["meta_parallel"]?["needs_gpu"])
    return ImageProgramTask(
      name: manifest.identifier, program: words, arguments: arguments, traits: traits,
      memory: manifest.processMemory, devices: isForDevices ? Devices(variables) : nil,
      children: children)
  }

  private static func isTrue(_ value: JSON?) -> Bool {
    value == true || value?.stringValue?.lowercased() == "true"
  }

  /// The Python environment that the manifest was installed into; nil when it lies elsewhere.
  private var environmentAround: (home: ProgramTraits.Home, path: String)? {
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
