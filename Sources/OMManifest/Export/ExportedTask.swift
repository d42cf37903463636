public import OMJSON

/// A task that is told to others.
public struct ExportedTask: Sendable {
  /// Its manifest.
  public let manifest: Manifest
  /// The absolute path of the manifest; nil for a task that is built in.
  public let file: String?

  /// Makes the task.
  ///
  /// - Throws: A fault of kind `manifest` when Fractal cannot be told of it: it is one of Fractal's own,
  ///   or is called in another way than once for each image.
  public init(_ manifest: Manifest, file: String?) throws(Fault) {
    if manifest.isForeign {
      throw Fault(
        .manifest, file ?? manifest.identifier, "the task is in a list of Fractal's already",
        hint: "give Fractal that list")
    }
    if manifest.type != TaskType.parallel.rawValue {
      throw Fault(
        .manifest, file ?? manifest.identifier,
        "the task is of the type `\(manifest.type)`, what is exported is `parallel`",
        hint: "give Fractal its own program")
    }
    self.manifest = manifest
    self.file = file
  }

  /// The word that stands for the task in a call of omtask.
  var word: String { file ?? manifest.identifier }

  /// Whether a command of Fractal can hold the word; its server refuses some characters and splits at blanks.
  public var fitsCommand: Bool {
    !word.contains { $0.isWhitespace || FractalTask.forbiddenInCommands.contains($0) }
  }
}

/// Whom an exported manifest is for.
public enum ManifestReader: String, Sendable, CaseIterable {
  /// A server of Fractal.
  case fractal
  /// The plug-in napari-workflow-tasks.
  case napari

  /// The entry of a task as its reader wants it.
  ///
  /// The plug-in has no field for a list and ends in an error before it runs a task that has one, so lists
  /// become texts with commas, which omtask takes too. It shows the label image of no task but
  /// `Thresholding Label Task`, and that only when its field `label_name` is filled.
  func adapted(_ entry: JSONObject, of task: ExportedTask) -> JSONObject {
    guard self == .napari, var schema = entry["args_schema_parallel"]?.objectValue,
      var properties = schema["properties"]?.objectValue
    else { return entry }
    var entry = entry
    for (name, property) in properties.members {
      guard let property = property.objectValue, property["type"] == "array" else { continue }
      properties[name] = .object(Self.text(property))
    }
    if task.file == nil && task.manifest.identifier == "threshold" {
      entry["name"] = "Thresholding Label Task"
      if var label = properties["label_name"]?.objectValue {
        label["default"] = "segmented"
        properties["label_name"] = .object(label)
      }
    }
    schema["properties"] = .object(properties)
    entry["args_schema_parallel"] = .object(schema)
    return entry
  }

  /// A text in place of a list.
  private static func text(_ list: JSONObject) -> JSONObject {
    var text: JSONObject = ["type": "string"]
    text["title"] = list["title"]
    let told = list["description"]?.stringValue ?? ""
    let end = told.isEmpty || told.hasSuffix(".") ? "" : "."
    let apart = "Several values are separated by commas."
    text["description"] = .string(told.isEmpty ? apart : "\(told)\(end) \(apart)")
    if let values = list["default"]?.arrayValue, !values.isEmpty {
      text["default"] = .string(
        values.map { $0.stringValue ?? $0.text() }.joined(separator: ", "))
    }
    return text
  }
}
