import OMJSON
import OMManifest

extension NewTask {
  /// The manifest.
  var manifest: JSON {
    let (isPython, hasRadius) = (language == .python, language != .shell)
    let types: JSON =
      hasRadius
      ? ["uint8", "uint16", "uint32", "int16", "float32", "float64"] : ["uint8"]
    let program: JSON =
      isPython ? ["python3", .string("\(module).py")] : ["sh", .string("\(module).sh")]
    let parameters: JSON = hasRadius ? ["radius", "overwrite"] : ["overwrite"]
    var properties: JSONObject = [
      "zarr_url": [
        "type": "string", "title": "Zarr Url", "description": "The image to work on.",
      ]
    ]
    if hasRadius {
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
      "summary": .string(summary),
      "contract": .string(language == .swift ? "kernel" : "region"), "result_version": 1,
      "exactness": "E",
      "passes": [["name": "tiles", "yields": "tiles"]],
      "outputs": [["name": .string(identifier), "kind": "image", "dtypes": types]],
      "dtypes": types, "axes": ["required": ["y", "x"], "optional": ["t", "c", "z"]],
    ]
    if language != .swift {
      block["command"] = program
      block["region"] = "any"
    }
    if isPython {
      block["halo"] = ["y": "radius", "x": "radius"]
      block["memory_per_voxel"] = 16
    }
    block["groups"] = [["title": .string(name), "parameters": parameters]]
    block["units"] = hasRadius ? ["radius": "voxels"] : [:]
    block["run_only"] = ["overwrite"]
    block["examples"] = [
      [
        "text": "Make a derived image beside an image",
        "command": .string("omtask run \(identifier) image.zarr"),
      ]
    ]
    return [
      "name": .string(name), "type": "parallel",
      "executable_parallel": .string(
        "bin/\(language == .swift ? identifier : "omtask") run \(identifier)"),
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
}
