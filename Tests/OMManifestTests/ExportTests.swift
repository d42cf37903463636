import OMJSON
import OMManifest
import Testing

@Suite struct ExportTests {
  @Test func `the exported manifest is one that Fractal takes`() throws {
    let document = try FractalManifest([blur()]).document()
    #expect(ManifestCheck.findings(in: document).filter { $0.severity == .error } == [])
    #expect(document["manifest_version"] == "2" && document["has_args_schemas"] == true)
    #expect(document["authors"]?.stringValue?.isEmpty == false)
    let task = try #require(document["task_list"]?.arrayValue?.first)
    #expect(task["executable_parallel"] == "bin/omtask run blur")
    #expect(task["omtask"] == nil && task["$schema"] == nil)
  }

  @Test func `a parameter that may be null is exported as one that is not required`() throws {
    let document = try FractalManifest([blur()]).document()
    let task = try #require(document["task_list"]?.arrayValue?.first)
    let properties = try #require(task["args_schema_parallel"]?["properties"])
    #expect(properties["channel"] == ["type": "array", "items": ["type": "string"]])
    #expect(properties["suffix"] == ["type": "string"])
    let passes: JSON = [
      "type": "integer", "minimum": 1, "maximum": 8, "default": 1, "title": "Passes",
    ]
    #expect(properties["passes"] == passes)
    #expect(
      properties.objectValue?.keys == (try blur().manifest.parameters.declarations.map(\.name)))
  }

  @Test func `the package has a Python file for each task, named by Python's rules`() throws {
    let files = try TaskPackage([blur()], version: "1.2.3").files
    #expect(
      files.map(\.path) == [
        "pyproject.toml", "omtask_tasks/__init__.py", "omtask_tasks/gaussian_blur.py",
        "omtask_tasks/__FRACTAL_MANIFEST__.json",
      ])
    #expect(files[0].text.contains("version = \"1.2.3\""))
    #expect(files[2].text.contains("def gaussian_blur(**arguments):"))
    #expect(files[2].text.contains("\"run\", \"gaussian-blur\""))
    let manifest = try JSON(parsing: Array(files[3].text.utf8), subject: "manifest")
    #expect(manifest["task_list"]?.arrayValue?[0]["executable_parallel"] == "gaussian_blur.py")
  }

  @Test func `a task in a file is called by its path`() throws {
    let task = try ExportedTask(blur().manifest, file: "/tasks/blur.json")
    let document = FractalManifest([task], forms: [.compound]).document()
    let entry = try #require(document["task_list"]?.arrayValue?.first)
    #expect(entry["executable_parallel"] == "bin/omtask run /tasks/blur.json")
    #expect(entry["executable_non_parallel"] == "bin/omtask plan /tasks/blur.json")
    let package = TaskPackage([task], version: "1").files[2].text
    #expect(package.contains(#""run", "/tasks/blur.json", "--args-json""#))
    #expect(task.fitsCommand)
    #expect(try !ExportedTask(blur().manifest, file: "/my tasks/blur.json").fitsCommand)
  }

  @Test func `napari's plug-in gets texts in place of lists`() throws {
    let document = try FractalManifest([blur()], for: .napari).document()
    #expect(ManifestCheck.findings(in: document).filter { $0.severity == .error } == [])
    let task = try #require(document["task_list"]?.arrayValue?.first)
    let channel = try #require(task["args_schema_parallel"]?["properties"]?["channel"])
    #expect(channel["type"] == "string" && channel["items"] == nil)
    #expect(channel["description"]?.stringValue?.hasSuffix("separated by commas.") == true)
    #expect(task["name"] != nil)
  }

  @Test func `a package that stays here knows the program that wrote it`() throws {
    let files = try TaskPackage([blur()], for: .napari, version: "1", program: "/my \"x\"/omtask")
      .files
    #expect(files[2].text.contains(#"or shutil.which("/my \"x\"/omtask")"#))
    #expect(try !TaskPackage([blur()], version: "1").files[2].text.contains("/omtask\""))
  }

  private func blur() throws -> ExportedTask {
    try ExportedTask(Manifest(text: Examples.blur, subject: "blur.json"), file: nil)
  }
}
