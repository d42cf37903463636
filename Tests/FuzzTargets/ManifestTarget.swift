import OMJSON
import OMManifest

extension FuzzTarget {
  /// A manifest, args JSON for it, and words of a command line; an empty manifest is a good one.
  static let manifest = FuzzTarget("manifest", refusals: [.manifest, .usage, .json, .limit]) {
    bytes in
    var input = FuzzInput(bytes)
    let text = input.text()
    let binder =
      try text.isEmpty
      ? goodBinder.get() : ParameterBinder(Manifest(text: text, subject: "task.json"))
    let arguments = input.part()
    let words = input.text().split(separator: "\n").map(commandLineValue)
    let given =
      arguments.isEmpty
      ? JSONObject() : try JSON(parsing: arguments, subject: "args").objectValue ?? JSONObject()
    let bound = try binder.bind(commandLine: words, arguments: given)
    let again: Parameters
    do {
      again = try binder.bind(arguments: bound.values)
    } catch {
      throw BrokenPromise(text: "bound values are refused: \(error)")
    }
    try promise(again.values == bound.values, "bound values are bound to others")
    try promise(
      again.resultValues == bound.resultValues, "the values that decide the result differ")
    try checkRoundTrip(.object(bound.values), lenient: false)
  }
}

private func commandLineValue(_ word: Substring) -> ParameterBinder.CommandLineValue {
  let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
  return (String(parts[0]), parts.count == 2 ? String(parts[1]) : nil)
}

/// The binder of the good manifest, which is read only once.
private let goodBinder = Result {
  try ParameterBinder(Manifest(text: goodManifest, subject: "good.json"))
}

/// A task with one parameter of every kind.
private let goodManifest = #"""
  {"name": "Blur", "type": "parallel", "executable_parallel": "bin/omtask run blur",
   "category": "Image Processing", "tags": [], "docs_info": "",
   "args_schema_parallel": {
     "type": "object", "title": "Blur", "additionalProperties": false,
     "properties": {
       "zarr_url": {"type": "string"},
       "sigma": {"type": "number", "minimum": 0, "default": 1.5},
       "passes": {"type": "integer", "minimum": 1, "maximum": 8, "default": 1},
       "mode": {"type": "string", "enum": ["reflect", "nearest"], "default": "reflect"},
       "channel": {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}],
                   "default": null},
       "planes": {"anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "null"}],
                  "default": null},
       "suffix": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": null},
       "most": {"anyOf": [{"type": "number"}, {"type": "null"}], "default": null},
       "dark": {"type": "boolean", "default": false}},
     "required": ["zarr_url"]},
   "omtask": {
     "summary": "Blur", "contract": "kernel", "result_version": 1, "exactness": "T",
     "passes": [{"name": "blur", "yields": "tiles"}],
     "outputs": [{"name": "image", "kind": "image", "dtypes": ["uint16"]}],
     "dtypes": ["uint16"], "axes": {"required": ["y", "x"], "optional": []},
     "groups": [{"title": "All", "parameters": ["sigma", "passes", "mode", "channel", "planes",
                 "suffix", "most", "dark"]}],
     "run_only": ["dark"], "examples": []}}
  """#
