import OMJSON
import OMManifest

/// The language of a new task.
enum TaskLanguage: String, CaseIterable {
  case python, shell, swift
}

/// A small task that works, to be changed into one's own.
struct NewTask {
  /// One file of the task.
  struct File: Equatable {
    /// Its name.
    let name: String
    /// The whole text.
    let text: String
  }

  /// The name for people.
  let name: String
  /// What it is written in.
  let language: TaskLanguage

  /// The name on the command line.
  var identifier: String { Manifest.identifier(of: name) }

  /// The name of the program's file without its ending.
  var module: String { identifier.replacing("-", with: "_") }

  /// Makes a task.
  ///
  /// - Throws: A fault of kind `usage` for a name that no manifest may have.
  init(name: String, language: TaskLanguage) throws(Fault) {
    let letters = Set("abcdefghijklmnopqrstuvwxyz0123456789-")
    let identifier = Manifest.identifier(of: name)
    guard let first = identifier.first, first.isLetter, identifier.allSatisfy(letters.contains)
    else {
      throw Fault(
        .usage, "", "a task cannot be named `\(name)`",
        hint: "a letter first, then letters, digits, spaces and `-`, such as \"Bright Spots\"")
    }
    // The program of a Swift package has the name of the task.
    if language == .swift && identifier == "omtask" {
      throw Fault(.usage, "", "a program of its own cannot be named `\(identifier)`")
    }
    self.name = name.contains("-") ? identifier : name
    self.language = language
  }

  /// The manifest's file below the folder.
  var manifestFile: String { "\(language == .swift ? "Manifests/" : "")\(identifier).json" }

  /// The files, the manifest last.
  var files: [File] {
    let program =
      switch language {
      case .python: PythonTemplate.files(module)
      case .shell: ShellTemplate.files(module)
      case .swift: SwiftTemplate(identifier: identifier).files
      }
    return program + [
      File(name: "README.md", text: readMe),
      File(name: manifestFile, text: manifest.text(indent: 2) + "\n"),
    ]
  }

  /// What it does, in half a sentence.
  var summary: String {
    language == .shell ? "Turn dark into bright" : "The largest of the voxels around each voxel"
  }
}
