import Glibc
import OMExternal
import OMJSON
import OMManifest
import OMTask

/// A manifest that lies somewhere in the file system, or one task in a list of Fractal's.
struct TaskFile {
  /// The file.
  let path: String
  /// The task of the file that is meant; nil for the only one in it.
  let task: String?

  /// Names a task by the path of its manifest; behind `#` stands which of several tasks is meant.
  ///
  /// - Parameter place: `clip.json`, or `__FRACTAL_MANIFEST__.json#threshold-segmentation`.
  init(_ place: String) {
    if let mark = place.lastIndex(of: "#"), place[..<mark].hasSuffix(".json") {
      path = String(place[..<mark])
      task = String(place[place.index(after: mark)...])
    } else {
      (path, task) = (place, nil)
    }
  }

  private init(path: String, task: String?) {
    self.path = path
    self.task = task
  }

  /// Whether a word of a call names a file rather than a task.
  static func isPlace(_ word: String) -> Bool {
    word.contains("/") || word.hasSuffix(".json") || TaskFile(word).task != nil
  }

  /// The file, and the task in it where that was named.
  var place: String { task.map { "\(path)#\($0)" } ?? path }

  /// The name of its task: by its content, or by the file's name where that cannot be read.
  var identifier: String {
    if let task { return task }
    let file = path.split(separator: "/").last.map(String.init) ?? path
    let stem = file.hasSuffix(".json") ? String(file.dropLast(5)) : file
    guard let bytes = try? readFile(path),
      let name = (try? JSON(parsing: bytes, subject: path))?["name"]?.stringValue
    else { return stem }
    return Manifest.identifier(of: name)
  }

  /// Reads the manifest and makes a task of it.
  ///
  /// - Parameter variables: The variables of this process, for its program.
  /// - Returns: The task.
  /// - Throws: What reading throws; a fault of kind `manifest` with all that is wrong.
  func load(_ variables: [String: String]) throws(Fault) -> KnownTask {
    let bytes = try readFile(path)
    if let document = try? JSON(parsing: bytes, subject: path), FractalList.isList(document) {
      let list = try FractalList(document, subject: path)
      let entry = try list.entry(task)
      let text = JSON.object(entry.document).text()
      let named = TaskFile(path: path, task: entry.identifier)
      return try named.task(text, try list.manifest(entry), variables)
    }
    var answer = ManifestAnswer()
    answer.add(path, ManifestCheck.findings(inText: bytes, subject: path))
    if answer.errors > 0 {
      var fault = answer.fault
      let lines = answer.errorLines
      fault.facts = Array(lines.prefix(20))
      fault.hint = "`omtask manifest check \(path)` explains each"
      throw fault
    }
    let text = String(decoding: bytes, as: UTF8.self)
    let manifest = try Manifest(text: text, subject: path)
    if let task, task != manifest.identifier && task != manifest.name {
      throw Fault(
        .usage, path, "there is no task named `\(task)`",
        hint: "the task of this manifest is `\(manifest.identifier)`")
    }
    return try self.task(text, manifest, variables)
  }

  private func task(
    _ text: String, _ manifest: Manifest, _ variables: [String: String]
  ) throws(Fault) -> KnownTask {
    let program: any TaskProgram =
      manifest.traits.contract == .image
      ? try ImageProgram(manifest, file: path, variables: variables)
      : try ExternalProgram(manifest, file: path, variables: variables)
    return (CatalogEntry(manifestText: text, file: place, program: program), manifest)
  }

  /// The manifests in folders, in the order of the folders and then of names.
  ///
  /// - Parameter folders: Paths separated by colons; those that are not there are left out.
  /// - Returns: The files, and each task of Fractal's lists; whether the others are manifests is not
  ///   known yet.
  static func all(inFolders folders: String) -> [TaskFile] {
    folders.split(separator: ":").flatMap { folder -> [TaskFile] in
      guard let entries = opendir(String(folder)) else { return [] }
      defer { closedir(entries) }
      var names: [String] = []
      while let entry = readdir(entries) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
          String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        let isHidden = name.hasPrefix(".") || name.hasPrefix("__") && name != fractalName
        if name.hasSuffix(".json"), !isHidden { names.append(name) }
      }
      return names.sorted().flatMap { tasks(in: "\(folder)/\($0)") }
    }
  }

  /// What Fractal's own lists of tasks are called.
  private static let fractalName = "__FRACTAL_MANIFEST__.json"

  /// The tasks of a file; a list that cannot be read is one task, so that loading it tells why.
  private static func tasks(in path: String) -> [TaskFile] {
    let file = TaskFile(path: path, task: nil)
    guard let bytes = try? readFile(path), let document = try? JSON(parsing: bytes, subject: path),
      FractalList.isList(document), let list = try? FractalList(document, subject: path)
    else { return [file] }
    return list.entries.map { TaskFile(path: path, task: $0.identifier) }
  }
}
