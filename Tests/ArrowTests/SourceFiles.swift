import Foundation

/// One `import` line of one of our source files.
struct ImportLine: CustomStringConvertible {
  let module: String
  let imported: String
  let file: String
  let number: Int

  var description: String { "\(file):\(number): \(module) imports \(imported)" }
}

/// The sources of the package, found from this file's own place.
enum SourceFiles {
  static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Swift modules by name, with the folder that holds their files.
  static func modules() throws -> [String: URL] {
    let sources = root.appending(path: "Sources")
    var folders = ["OMTasks": root.appending(path: "Tasks")]
    for name in try FileManager.default.contentsOfDirectory(atPath: sources.path) {
      let folder = sources.appending(path: name)
      if !swiftFiles(in: folder).isEmpty { folders[name] = folder }
    }
    return folders
  }

  /// Every import line of a module.
  static func imports(of module: String, in folder: URL) throws -> [ImportLine] {
    try swiftFiles(in: folder).flatMap { file in
      importedModules(in: try String(contentsOf: file, encoding: .utf8)).map {
        ImportLine(
          module: module, imported: $0.name, file: file.lastPathComponent, number: $0.line)
      }
    }
  }

  /// The modules that a source text imports; text inside multi-line string literals does not count.
  static func importedModules(in text: String) -> [(name: String, line: Int)] {
    let importLine =
      /^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|private|fileprivate)\s+)?import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?([\w-]+)/
    var found: [(name: String, line: Int)] = []
    var insideLiteral = false
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      if !insideLiteral, let match = line.firstMatch(of: importLine) {
        found.append((String(match.1), index + 1))
      }
      let quotes = line.matches(of: /"""/).count
      if !quotes.isMultiple(of: 2) { insideLiteral.toggle() }
    }
    return found
  }

  private static func swiftFiles(in folder: URL) -> [URL] {
    let all = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    return (all?.compactMap { $0 as? URL } ?? []).filter { $0.pathExtension == "swift" }
  }
}
