import OMJSON
import OMManifest

/// The language of a new task.
enum TaskLanguage: String, CaseIterable {
  case python, shell
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
  private var module: String { identifier.replacing("-", with: "_") }

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
    self.name = name.contains("-") ? identifier : name
    self.language = language
  }

  /// The files, the manifest last.
  var files: [File] {
    let program =
      switch language {
      case .python: PythonTemplate.files(module)
      case .shell: ShellTemplate.files(module)
      }
    return program + [File(name: "\(identifier).json", text: manifest.text(indent: 2) + "\n")]
  }

  private var manifest: JSON {
    let isPython = language == .python
    let types: JSON =
      isPython
      ? ["uint8", "uint16", "uint32", "int16", "float32", "float64"] : ["uint8"]
    let program: JSON =
      isPython ? ["python3", .string("\(module).py")] : ["sh", .string("\(module).sh")]
    let parameters: JSON = isPython ? ["radius", "overwrite"] : ["overwrite"]
    var properties: JSONObject = [
      "zarr_url": [
        "type": "string", "title": "Zarr Url", "description": "The image to work on.",
      ]
    ]
    if isPython {
      properties["radius"] = [
        "type": "integer", "minimum": 0, "maximum": 100, "default": 1, "title": "Radius",
        "description": "How many voxels to look to each side, in the plane.",
      ]
    }
    properties["overwrite"] = [
      "type": "boolean", "default": false, "title": "Overwrite",
      "description": "Replace a derived image of the same name.",
    ]
    var block: JSONObject = [
      "summary": .string(summary), "contract": "region", "result_version": 1, "exactness": "E",
      "passes": [["name": "tiles", "yields": "tiles"]],
      "outputs": [["name": .string(identifier), "kind": "image", "dtypes": types]],
      "dtypes": types, "axes": ["required": ["y", "x"], "optional": ["t", "c", "z"]],
      "command": program, "region": "any",
    ]
    if isPython {
      block["halo"] = ["y": "radius", "x": "radius"]
      block["memory_per_voxel"] = 16
    }
    block["groups"] = [["title": .string(name), "parameters": parameters]]
    block["units"] = isPython ? ["radius": "voxels"] : [:]
    block["run_only"] = ["overwrite"]
    block["examples"] = [
      [
        "text": "Make a derived image beside an image",
        "command": .string("omtask run \(identifier) image.zarr"),
      ]
    ]
    return [
      "name": .string(name), "type": "parallel",
      "executable_parallel": .string("bin/omtask run \(identifier)"),
      "category": "Image Processing",
      "docs_info": .string(
        "### Purpose\n- \(summary).\n\n### Outputs\n- A derived image, `<image>_\(identifier)`.\n\n"
          + "### Limitations\n- None is known."),
      "input_types": .object(JSONObject(members: [("is_" + module, false)])),
      "output_types": .object(JSONObject(members: [("is_" + module, true)])),
      "args_schema_parallel": [
        "type": "object", "title": .string(name), "additionalProperties": false,
        "properties": .object(properties), "required": ["zarr_url"],
      ],
      "omtask": .object(block),
    ]
  }

  private var summary: String {
    language == .python ? "The largest of the voxels around each voxel" : "Turn dark into bright"
  }
}
