import OMJSON

/// What Fractal's manifest knows.
enum FractalTask {
  /// The keys of the file `__FRACTAL_MANIFEST__.json`.
  static let listKeys = [
    "manifest_version", "task_list", "has_args_schemas", "args_schema_version", "authors",
  ]

  /// The keys of one task.
  static let keys = [
    "name", "type", "executable_non_parallel", "executable_parallel", "meta_non_parallel",
    "meta_parallel", "args_schema_non_parallel", "args_schema_parallel", "input_types",
    "output_types", "category", "modality", "tags", "docs_info", "docs_link",
  ]

  /// The keys of the file of one task of ours, which runs once per image.
  static let ownKeys = ["$schema"] + keys.filter { !$0.hasSuffix("_non_parallel") } + ["omtask"]

  /// The versions of args schemas that the web client knows.
  static let schemaVersions = ["pydantic_v1", "pydantic_v2", "fractal_schema_v1"]

  /// The two parts of a task.
  static let kinds = ["parallel", "non_parallel"]

  /// What a type of task calls, and the arguments that the server sets in each call.
  struct Kind: Sendable {
    let type: String
    /// The arguments of each part; a part that is not here has no executable.
    let arguments: [String: [String]]
  }

  /// All types.
  static let types = [
    Kind(type: "parallel", arguments: ["parallel": ["zarr_url"]]),
    Kind(type: "non_parallel", arguments: ["non_parallel": ["zarr_urls", "zarr_dir"]]),
    Kind(type: "converter_non_parallel", arguments: ["non_parallel": ["zarr_dir"]]),
    Kind(
      type: "compound",
      arguments: [
        "non_parallel": ["zarr_urls", "zarr_dir"], "parallel": ["zarr_url", "init_args"],
      ]),
    Kind(
      type: "converter_compound",
      arguments: ["non_parallel": ["zarr_dir"], "parallel": ["zarr_url", "init_args"]]),
  ]

  /// The characters that no command may have.
  static let forbiddenInCommands = Set("`#$&*()\\|[]{};<>?!")

  /// The categories that catalogues know.
  static let categories = [
    "Conversion", "Image Processing", "Segmentation", "Registration", "Measurement",
  ]

  /// The modalities that catalogues know.
  static let modalities = ["HCS", "lightsheet", "EM"]
}
