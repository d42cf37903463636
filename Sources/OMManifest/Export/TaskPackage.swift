import OMJSON

/// A Python package that lets Fractal and napari call the tasks of this program.
///
/// Fractal installs it with pip or is given its folder, napari's plugin is given its manifest. Both
/// want one Python file per task beside the manifest: Fractal starts it with `--args-json` and
/// `--out-json`, napari's plugin calls the function of its name. It needs nothing but Python.
public struct TaskPackage: Sendable {
  /// One file of the package.
  public struct File: Sendable {
    /// The path below the folder of the package.
    public let path: String
    /// The whole text.
    public let text: String
  }

  private static let module = "omtask_tasks"
  private let tasks: [ExportedTask]
  private let forms: [FractalForm]
  private let reader: ManifestReader
  private let version: String
  private let program: String?

  /// Makes the package of these tasks.
  ///
  /// - Parameters:
  ///   - tasks: The tasks.
  ///   - forms: The forms in which Fractal gets each of them.
  ///   - reader: Whom the manifest is for.
  ///   - version: The version of the program.
  ///   - program: Where the program lies, for a package that stays on this machine; the last place in
  ///     which it is looked for.
  public init(
    _ tasks: [ExportedTask], forms: [FractalForm] = [.parallel],
    for reader: ManifestReader = .fractal,
    version: String, program: String? = nil
  ) {
    self.tasks = tasks
    self.forms = forms
    self.reader = reader
    self.version = version
    self.program = program
  }

  /// All files, the manifest last, so that who finds it finds the others.
  public var files: [File] {
    let manifest = FractalManifest(tasks, forms: forms, for: reader).document {
      Self.fileName(of: $0, $1)
    }
    let verbs = [FractalForm.Verb.run, .plan].filter { verb in
      forms.contains { $0.verbs.contains(verb) }
    }
    return [
      File(path: "pyproject.toml", text: project),
      File(path: "\(Self.module)/__init__.py", text: "\"\"\"The tasks of omtask.\"\"\"\n"),
    ]
      + tasks.flatMap { task in
        verbs.map { verb in
          File(
            path: "\(Self.module)/\(Self.fileName(of: task, verb))",
            text: shim(of: task, verb))
        }
      }
      + [
        File(
          path: "\(Self.module)/\(FractalManifest.fileName)", text: manifest.text(indent: 2) + "\n")
      ]
  }

  /// The Python name of a task: that of its file and of the function in it.
  private static func name(of task: ExportedTask, _ verb: FractalForm.Verb) -> String {
    task.manifest.identifier.replacing("-", with: "_") + (verb == .run ? "" : "_\(verb.rawValue)")
  }

  private static func fileName(of task: ExportedTask, _ verb: FractalForm.Verb) -> String {
    "\(name(of: task, verb)).py"
  }

  private var project: String {
    """
    # Made by `omtask manifest export`; changes here are lost.
    [build-system]
    requires = ["setuptools>=61"]
    build-backend = "setuptools.build_meta"

    [project]
    name = "omtask-tasks"
    version = "\(version)"
    description = "The tasks of omtask for Fractal and napari"
    requires-python = ">=3.9"
    authors = [{name = "\(FractalManifest.authors)"}]

    [tool.setuptools]
    packages = ["\(Self.module)"]

    [tool.setuptools.package-data]
    \(Self.module) = ["\(FractalManifest.fileName)"]

    """
  }

  private func shim(of task: ExportedTask, _ verb: FractalForm.Verb) -> String {
    let last = program.map { " or shutil.which(\(python($0)))" } ?? ""
    let places = program.map { _ in ", the one on PATH, or the one that wrote it" }
    let word = python(task.word)
    return #"""
      """\#(task.manifest.traits.summary).

      Made by `omtask manifest export`; changes here are lost. Fractal starts this file with
      --args-json and --out-json, napari calls the function of its name. Both end in the program omtask:
      the one that $OMTASK names, else the one beside this file\#(places ?? ", else the one on PATH").
      """

      import json
      import os
      import shutil
      import subprocess
      import sys
      import tempfile
      from pathlib import Path


      def program():
          """The program."""
          beside = str(Path(__file__).resolve().with_name("omtask"))
          found = os.environ.get("OMTASK") or shutil.which(beside) or shutil.which("omtask")\#(last)
          if not found:
              raise FileNotFoundError("there is no program omtask: install it, or name it in $OMTASK")
          return found


      def \#(Self.name(of: task, verb))(**arguments):
          """Runs the task with these arguments and returns what it tells about its results."""
          with tempfile.TemporaryDirectory() as folder:
              given, results = Path(folder, "args.json"), Path(folder, "out.json")
              given.write_text(json.dumps(arguments, default=str))
              call = [program(), "\#(verb.rawValue)", \#(word), "--args-json", given]
              code = subprocess.run([*call, "--out-json", results]).returncode
              if code != 0:
                  raise RuntimeError(f"omtask ended with {code}, its own message says why")
              return json.loads(results.read_text())


      if __name__ == "__main__":
          try:
              path = program()
              os.execvp(path, [path, "\#(verb.rawValue)", \#(word), *sys.argv[1:]])
          except OSError as error:
              sys.exit(f"omtask cannot be started: {error}")

      """#
  }

  /// A text as Python reads it; JSON's texts are Python's, too.
  private func python(_ text: String) -> String { JSON.string(text).text() }
}
