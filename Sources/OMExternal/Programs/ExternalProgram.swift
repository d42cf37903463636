import Glibc
public import OMJSON
public import OMManifest
public import OMTask

/// A task that is not built in: a manifest with a program beside it.
public final class ExternalProgram: TaskProgram {
  /// The manifest.
  public let manifest: Manifest
  /// A digest of what decides the voxels besides the parameters.
  public let fingerprint: String?
  private let folder: String
  private let variables: [String: String]
  private let pool = ChildPool()

  /// Takes the program of a manifest; nothing is started.
  ///
  /// - Parameters:
  ///   - manifest: The manifest.
  ///   - file: Its file.
  ///   - variables: The variables of this process.
  /// - Throws: A fault of kind `manifest` when the manifest is that of a kernel.
  public init(
    _ manifest: Manifest, file: String, variables: [String: String]
  ) throws(Fault) {
    guard let traits = manifest.traits.program else {
      throw Fault(
        .manifest, file, "`contract` is `kernel`, which is for tasks that are built in",
        hint: "docs/swift-tasks.md builds a program with it; for a task in another language "
          + "`contract` is `region` or `image`, with a `command` (docs/external-tasks.md)")
    }
    self.manifest = manifest
    self.variables = variables
    folder = programFolder(of: file)
    fingerprint = programFingerprint(
      manifest.document["omtask"], words: traits.command, folder: folder)
  }

  /// Binds the task to its parameters, and finds the program.
  public func bind(
    _ parameters: Parameters, _ surroundings: TaskSurroundings
  ) throws(Fault) -> any ImageTask {
    guard let traits = manifest.traits.program else {
      throw Fault(.internal, "", "a task without a program is bound to one")
    }
    let words = try ProgramWords(
      traits.command, in: traits.environment, folder: folder, python: surroundings.python,
      variables: ChildVariables(variables))
    let hello = { @Sendable [manifest] (worker: Int) in
      RegionProtocol.hello(
        task: manifest.identifier, resultVersion: manifest.traits.resultVersion,
        parameters: parameters.values, worker: worker)
    }
    let devices =
      manifest.document["meta_parallel"]?["needs_gpu"] == true ? Devices(variables) : nil
    let logs = variables["TMPDIR"] ?? "/tmp"
    let name = manifest.identifier
    let makesTable = manifest.traits.outputs.contains { $0.partials != nil }
    let start = { @Sendable (worker: Int) throws(Fault) -> RegionChild.Start in
      var variables = words.variables
      if let device = devices?.device(of: worker) { variables.set("CUDA_VISIBLE_DEVICES", device) }
      var start = RegionChild.Start(
        words: words.words, variables: variables, name: name, patience: surroundings.patience,
        logFolder: logs, hello: hello(worker))
      if makesTable { start.longestLine = PartialReader.longestLine }
      return start
    }
    return ExternalTask(
      manifest: manifest, traits: traits, parameters: parameters, pool: pool, start: start)
  }

  /// Lets all children end.
  public func end() { pool.end() }

  /// Ends all children at once.
  public func abandon() { pool.abandon() }
}
