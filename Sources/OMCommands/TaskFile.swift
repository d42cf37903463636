import Glibc
import OMExternal
import OMJSON
import OMManifest
import OMTask

/// A manifest that lies somewhere in the file system.
struct TaskFile {
  /// Where.
  let path: String

  /// The name of its task: by its content, or by the file's name where that cannot be read.
  var identifier: String {
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
    let program = try ExternalProgram(manifest, file: path, variables: variables)
    return (CatalogEntry(manifestText: text, file: path, program: program), manifest)
  }

  /// The manifests in folders, in the order of the folders and then of names.
  ///
  /// - Parameter folders: Paths separated by colons; those that are not there are left out.
  /// - Returns: The files; whether they are manifests is not known yet.
  static func all(inFolders folders: String) -> [TaskFile] {
    folders.split(separator: ":").flatMap { folder -> [TaskFile] in
      guard let entries = opendir(String(folder)) else { return [] }
      defer { closedir(entries) }
      var names: [String] = []
      while let entry = readdir(entries) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
          String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        // Fractal's own lists of tasks are called `__FRACTAL_MANIFEST__.json`.
        if name.hasSuffix(".json"), !name.hasPrefix("."), !name.hasPrefix("__") {
          names.append(name)
        }
      }
      return names.sorted().map { TaskFile(path: "\(folder)/\($0)") }
    }
  }
}
