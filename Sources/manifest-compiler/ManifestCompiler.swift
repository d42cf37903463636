import Glibc
import OMJSON
import OMManifest

/// The build plugin's tool: `manifest-compiler OUTPUT.swift MANIFEST.json…`.
@main enum ManifestCompiler {
  static func main() {
    let arguments = CommandLine.arguments.dropFirst()
    guard let output = arguments.first else {
      report("usage: manifest-compiler OUTPUT.swift MANIFEST.json…")
      exit(FaultKind.usage.exitCode)
    }
    do {
      let sources = try arguments.dropFirst().map { try ManifestSource(path: $0) }
      try writeText(CatalogTemplate.file(for: sources), to: output)
    } catch {
      let fault = error as? Fault ?? Fault(.internal, "", "\(error)")
      report("error: \(fault)\(fault.hint.map { " (hint: \($0))" } ?? "")")
      exit(fault.exitCode)
    }
  }

  private static func report(_ line: String) {
    let text = "\(line)\n"
    _ = write(STDERR_FILENO, text, text.utf8.count)
  }
}

/// One manifest with its text and the names that follow from its file name.
struct ManifestSource {
  /// The name of the file, such as `gaussian-blur.json`.
  let fileName: String
  /// The text of the file.
  let text: String
  /// The checked manifest.
  let manifest: Manifest

  /// Reads and checks a manifest.
  ///
  /// - Throws: A fault of kind `manifest`, also when file and task have different names.
  init(path: String) throws(Fault) {
    text = try readText(path)
    manifest = try Manifest(text: text, subject: path)
    fileName = path.split(separator: "/").last.map(String.init) ?? path
    if fileName != "\(manifest.identifier).json" {
      throw Fault(
        .manifest, path, "the task is named \"\(manifest.name)\"",
        hint: "name the file `\(manifest.identifier).json`, or change `name`")
    }
  }

  /// The start of the Swift type names: `GaussianBlur` for `gaussian-blur.json`.
  var typePrefix: String { SwiftName.type(manifest.identifier) }
}
