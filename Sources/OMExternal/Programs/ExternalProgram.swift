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
        hint: "`\"contract\": \"region\"` and a `command` make it a task of its own")
    }
    self.manifest = manifest
    self.variables = variables
    folder = Self.folder(of: file)
    fingerprint = Self.fingerprint(manifest, traits, folder)
  }

  /// Binds the task to its parameters, and finds the program.
  public func bind(
    _ parameters: Parameters, _ surroundings: TaskSurroundings
  ) throws(Fault) -> any ImageTask {
    guard let traits = manifest.traits.program else {
      throw Fault(.internal, "", "a task without a program is bound to one")
    }
    let words = try ProgramWords(
      traits, folder: folder, python: surroundings.python,
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
    let start = { @Sendable (worker: Int) throws(Fault) -> RegionChild.Start in
      var variables = words.variables
      if let device = devices?.device(of: worker) { variables.set("CUDA_VISIBLE_DEVICES", device) }
      return RegionChild.Start(
        words: words.words, variables: variables, name: name, patience: surroundings.patience,
        logFolder: logs, hello: hello(worker))
    }
    return ExternalTask(
      manifest: manifest, traits: traits, parameters: parameters, pool: pool, start: start)
  }

  /// Lets all children end.
  public func end() { pool.end() }

  /// Ends all children at once.
  public func abandon() { pool.abandon() }

  /// The folder of a file as a path that holds wherever a child looks from.
  private static func folder(of file: String) -> String {
    let parts = file.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    let folder = parts.isEmpty ? "." : parts == [""] ? "/" : parts.joined(separator: "/")
    guard let path = realpath(folder, nil) else { return folder }
    defer { free(path) }
    return String(cString: path)
  }

  /// A digest of the block and of the files that the command names.
  private static func fingerprint(
    _ manifest: Manifest, _ traits: ProgramTraits, _ folder: String
  ) -> String {
    var bytes = manifest.document["omtask"]?.bytes() ?? []
    for word in traits.command where !word.hasPrefix("/") {
      bytes += Array("\n\(word)\n".utf8)
      if let content = contents("\(folder)/\(word)") { bytes += sha256(content) }
    }
    return String(hexadecimal(sha256(bytes)).prefix(16))
  }

  private static func contents(_ path: String) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    if descriptor < 0 { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while bytes.count < 16 << 20 {
      let count = read(descriptor, &buffer, buffer.count)
      if count <= 0 { return count == 0 ? bytes : nil }
      bytes += buffer[..<count]
    }
    return bytes
  }
}
