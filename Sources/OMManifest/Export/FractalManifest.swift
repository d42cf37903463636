public import OMJSON

/// Fractal's file `__FRACTAL_MANIFEST__.json` for tasks of ours.
///
/// - Our own block and `$schema` stay behind. Fractal server drops keys that it does not know, and
///   napari's plugin does not look at them, so they would be harmless; but nobody who gets this file
///   reads them, and most of the server's other models refuse unknown keys, so this one may, too.
/// - The args schemas are those of `pydantic_v2`, which every web client knows: a value that may be
///   left out just is not `required`. Manifests say `anyOf` of one type and null instead. The form
///   of `pydantic_v2` shows that as a field for text whatever the type, napari's plugin shows none,
///   and clients before 1.27 do not know `fractal_schema_v1`, whose form does show it. Nothing is
///   lost: to omtask null and absent are the same.
/// - `authors` is one string, since the server refuses lists.
public struct FractalManifest: Sendable {
  /// The name of the file.
  public static let fileName = "__FRACTAL_MANIFEST__.json"
  /// Who wrote the tasks.
  public static let authors = "omtask developers"

  private let tasks: [ExportedTask]
  private let forms: [FractalForm]
  private let reader: ManifestReader

  /// Makes the manifest of these tasks, each in these forms, for who is to read it.
  public init(
    _ tasks: [ExportedTask], forms: [FractalForm] = [.parallel],
    for reader: ManifestReader = .fractal
  ) {
    self.tasks = tasks
    self.forms = forms
    self.reader = reader
  }

  /// The document.
  ///
  /// Its commands are those of a program that was installed as `bin/omtask` below the package root.
  ///
  /// - Returns: The whole file.
  public func document() -> JSON { document { $1.executable(of: $0) } }

  /// The document.
  ///
  /// - Parameter executable: What Fractal starts to run a task, or to plan it, relative to the package
  ///   root.
  /// - Returns: The whole file.
  func document(executable: (ExportedTask, FractalForm.Verb) -> String) -> JSON {
    [
      "manifest_version": "2",
      "has_args_schemas": true,
      "args_schema_version": "pydantic_v2",
      "authors": .string(Self.authors),
      "task_list": .array(
        tasks.flatMap { task in
          forms.map { form in
            .object(form.entry(entry(task)) { executable(task, $0) })
          }
        }),
    ]
  }

  private func entry(_ task: ExportedTask) -> JSONObject {
    var entry = JSONObject()
    for (key, value) in task.manifest.document.members where FractalTask.keys.contains(key) {
      let isSchema = key.hasPrefix("args_schema_")
      entry[key] = isSchema ? Self.withoutNull(value) : value
    }
    return reader.adapted(entry, of: task)
  }

  /// The args schema with one type for every parameter.
  private static func withoutNull(_ schema: JSON) -> JSON {
    guard var object = schema.objectValue, let properties = object["properties"]?.objectValue
    else { return schema }
    var plain = JSONObject()
    for (name, property) in properties.members { plain[name] = parameter(property) }
    object["properties"] = .object(plain)
    return .object(object)
  }

  private static func parameter(_ property: JSON) -> JSON {
    let value = property["anyOf"]?.arrayValue?.first { $0["type"] != "null" }
    guard let object = property.objectValue, let value = value?.objectValue else { return property }
    var plain = value
    for (key, member) in object.members where key != "anyOf" {
      if key != "default" || member != .null { plain[key] = member }
    }
    return .object(plain)
  }
}
