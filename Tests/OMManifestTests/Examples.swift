import Foundation
import OMJSON
import OMManifest

/// Manifests for the tests.
enum Examples {
  /// A task with one parameter of every kind.
  static let blur = #"""
    {"name": "Gaussian Blur", "type": "parallel", "executable_parallel": "bin/omtask run blur",
     "category": "Image Processing", "tags": ["Blur"], "docs_info": "### Purpose",
     "args_schema_parallel": {
       "type": "object", "title": "Blur", "additionalProperties": false,
       "properties": {
         "zarr_url": {"type": "string", "title": "Zarr Url"},
         "sigma": {"type": "number", "minimum": 0, "title": "Sigma"},
         "passes": {"type": "integer", "minimum": 1, "maximum": 8, "default": 1, "title": "Passes"},
         "mode": {"type": "string", "enum": ["reflect", "nearest"], "default": "reflect"},
         "channel": {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}],
                     "default": null},
         "planes": {"anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "null"}],
                    "default": null},
         "suffix": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": null},
         "most": {"anyOf": [{"type": "number"}, {"type": "null"}], "default": null},
         "overwrite": {"type": "boolean", "default": false}},
       "required": ["zarr_url", "sigma"]},
     "omtask": {
       "summary": "Blur an image", "contract": "kernel", "result_version": 2, "exactness": "T",
       "passes": [{"name": "blur", "yields": "tiles"}],
       "outputs": [{"name": "image", "kind": "image", "dtypes": ["uint16"]}],
       "dtypes": ["uint16"], "axes": {"required": ["y", "x"], "optional": ["z"]},
       "groups": [{"title": "All", "parameters": ["sigma", "passes", "mode", "channel", "planes",
                   "suffix", "most", "overwrite"]}],
       "units": {"sigma": "micrometer"}, "run_only": ["overwrite"], "examples": []}}
    """#

  /// The binder of the blur.
  static func binder() throws -> ParameterBinder {
    ParameterBinder(try Manifest(text: blur, subject: "blur.json"))
  }

  /// The blur with one piece of its text replaced.
  static func blur(replacing old: String, by new: String) -> String {
    blur.replacingOccurrences(of: old, with: new)
  }

  /// The folder of the project.
  static let package = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// The manifests that are shipped, by file name.
  static func shipped() throws -> [(name: String, text: String)] {
    let folder = package.appending(path: "Manifests")
    return try FileManager.default
      .contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
      .filter { $0.pathExtension == "json" }
      .map { ($0.lastPathComponent, try String(contentsOf: $0, encoding: .utf8)) }
  }
}
