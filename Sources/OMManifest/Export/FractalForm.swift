import OMJSON

/// How Fractal runs a task.
///
/// A manifest of ours says how it runs on one image; the other forms follow from that.
public enum FractalForm: String, Sendable, CaseIterable {
  /// One process for each image.
  case parallel
  /// One process for all images.
  case nonParallel = "non_parallel"
  /// One process that cuts the images into parts, then one for each part.
  case compound

  /// What the program does for a form.
  public enum Verb: String, Sendable {
    /// Does the work.
    case run
    /// Lists the parts of the work.
    case plan

    /// The call of a program that was installed as `bin/omtask`, but for its arguments.
    func executable(of task: ExportedTask) -> String {
      if let file = task.file { return "bin/omtask \(rawValue) \(file)" }
      let run = task.manifest.document["executable_parallel"]?.stringValue ?? ""
      guard self == .plan else { return run }
      return run.replacing(" run ", with: " plan ", maxReplacements: 1)
    }
  }

  /// What the program does in this form.
  public var verbs: [Verb] { self == .compound ? [.run, .plan] : [.run] }

  /// The entry of a task in this form.
  ///
  /// - Parameters:
  ///   - parallel: The entry in the form `parallel`.
  ///   - executable: What Fractal starts.
  /// - Returns: The entry; its name tells the form, because no two tasks may have the same one.
  func entry(_ parallel: JSONObject, executable: (Verb) -> String) -> JSONObject {
    var entry = parallel
    entry["executable_parallel"] = .string(executable(.run))
    if self == .parallel { return entry }
    let title = rawValue.replacing("_", with: "-")
    entry["name"] = .string("\(parallel["name"]?.stringValue ?? "") (\(title))")
    entry["type"] = .string(rawValue)
    let schema = parallel["args_schema_parallel"]?.objectValue ?? [:]
    entry["args_schema_non_parallel"] = .object(Self.overImages(schema, cuts: self == .compound))
    switch self {
    case .parallel: break
    case .nonParallel:
      entry["executable_non_parallel"] = .string(executable(.run))
      entry["meta_non_parallel"] = parallel["meta_parallel"]
      for key in ["executable_parallel", "meta_parallel", "args_schema_parallel"] {
        entry[key] = nil
      }
    case .compound:
      entry["executable_non_parallel"] = .string(executable(.plan))
      entry["meta_non_parallel"] = ["cpus_per_task": 1, "mem": 1000]
      entry["args_schema_parallel"] = Self.ofPart(title: schema["title"] ?? "")
    }
    return entry
  }

  /// The args schema of a process that is given all images.
  private static func overImages(_ schema: JSONObject, cuts: Bool) -> JSONObject {
    var properties: JSONObject = [
      "zarr_urls": [
        "type": "array", "items": ["type": "string"], "title": "Zarr Urls",
        "description": "The images to work on. Set by the workflow engine.",
      ],
      "zarr_dir": [
        "type": "string", "title": "Zarr Dir",
        "description": "The folder of all images. Set by the workflow engine.",
      ],
    ]
    if cuts {
      properties["parts"] = [
        "type": "integer", "minimum": 1, "maximum": 20000, "title": "Parts",
        "description": "Into how many parts each image is cut. When not given: one for each GiB.",
      ]
    }
    for (name, property) in schema["properties"]?.objectValue?.members ?? []
    where name != "zarr_url" {
      properties[name] = property
    }
    let required = (schema["required"]?.arrayValue ?? []).filter { $0 != "zarr_url" }
    var whole = schema
    whole["properties"] = .object(properties)
    whole["required"] = .array(["zarr_urls", "zarr_dir"] + required)
    return whole
  }

  /// The args schema of a process that is given a part.
  private static func ofPart(title: JSON) -> JSON {
    [
      "type": "object", "title": title, "additionalProperties": false,
      "properties": [
        "zarr_url": [
          "type": "string", "title": "Zarr Url",
          "description": "The image to work on. Set by the workflow engine.",
        ],
        "init_args": [
          "type": "object", "title": "Init Args",
          "description": "The part of the image. Set by the workflow engine.",
        ],
      ],
      "required": ["zarr_url", "init_args"],
    ]
  }
}
