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
    #expect(properties.objectValue?.keys == (try blur().parameters.declarations.map(\.name)))
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

  private func blur() throws -> Manifest {
    try Manifest(text: Examples.blur, subject: "blur.json")
  }
}
