import Glibc
import OMJSON
import OMManifest
import OMRun
import OMTask
import Synchronization
import Testing

@testable import OMCommands

/// A sink that keeps what it is given.
final class MemorySink: ByteSink {
  let isTerminal: Bool
  let columns: Int
  private let kept = Mutex<[UInt8]>([])

  init(isTerminal: Bool = false, columns: Int = 80) {
    self.isTerminal = isTerminal
    self.columns = columns
  }

  var bytes: [UInt8] { kept.withLock { $0 } }

  var text: String { String(decoding: bytes, as: UTF8.self) }

  func write(_ bytes: UnsafeRawBufferPointer) throws { kept.withLock { $0 += bytes } }
}

/// What a call wrote, and how it ended.
struct CallResult {
  let code: Int32
  let output: [UInt8]
  let messages: [String]

  var text: String { String(decoding: output, as: UTF8.self) }
}

/// Calls the program in this process, as from a shell that is no terminal.
func call(_ words: String..., environment: [String: String] = [:]) throws -> CallResult {
  try call(words, environment: environment)
}

/// Calls the program in this process, as from a shell that is no terminal.
func call(_ words: [String], environment: [String: String] = [:]) throws -> CallResult {
  let output = MemorySink()
  let messages = MemorySink()
  let context = CommandContext(
    catalogue: try realCatalogue(), environment: Environment(environment), output: output,
    console: Console(messages, style: LogStyle()))
  let code = OMTaskProgram.run(words, context)
  return CallResult(
    code: code, output: output.bytes,
    messages: messages.text.split(separator: "\n").map(String.init))
}

/// The request that a call of `run` makes.
func readRequest(_ words: [String], standardInput: String = "") throws -> RunRequest {
  var context = CommandContext(
    catalogue: try realCatalogue(), environment: Environment([:]), output: MemorySink(),
    console: Console(MemorySink(), style: LogStyle()))
  context.standardInput = { Array(standardInput.utf8) }
  let command = try #require(try OMTaskProgram.parse(words).get() as? RunCommand)
  return try command.request(context)
}

/// The folder of the project.
let projectFolder = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()

/// The manifest of the threshold task as it is in the project.
func thresholdManifest() throws -> Manifest {
  let path = projectFolder + "/Manifests/threshold.json"
  return try Manifest(text: String(decoding: readFile(path), as: UTF8.self), subject: path)
}

/// A catalogue with the manifests of the project; the tasks are never called here.
func realCatalogue() throws -> TaskCatalogue {
  TaskCatalogue(
    try [
      "convert", "gaussian-blur", "label-objects", "masking-roi-table", "measure", "median",
      "project", "threshold",
    ].map { name in
      let path = "\(projectFolder)/Manifests/\(name).json"
      let text = String(decoding: try readFile(path), as: UTF8.self)
      return CatalogEntry(manifestText: text, task: UncalledTask.self)
    })
}

private struct UncalledTask: RegionTask {
  init(_ parameters: Parameters) throws(Fault) {}
  func product(for image: ImageInfo) throws(Fault) -> Product { .labels([]) }
}

/// A folder that is removed with all that is in it.
final class TemporaryFolder {
  let path: String

  init() {
    var template = Array("/tmp/omtask-commands-XXXXXX".utf8CString)
    _ = mkdtemp(&template)
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { Self.remove(path) }

  /// Writes a file, with the folders it needs.
  func write(_ name: String, _ bytes: [UInt8]) {
    var folder = path
    for part in name.split(separator: "/").dropLast() {
      folder += "/\(part)"
      mkdir(folder, 0o777)
    }
    guard let file = fopen("\(path)/\(name)", "w") else { return }
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
  }

  private static func remove(_ path: String) {
    if let folder = opendir(path) {
      while let entry = readdir(folder) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
          String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name != "." && name != ".." { remove("\(path)/\(name)") }
      }
      closedir(folder)
    }
    Glibc.remove(path)
  }
}
