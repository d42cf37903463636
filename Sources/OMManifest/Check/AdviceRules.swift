import OMJSON

/// What is custom, and what forms show badly: notes, never mistakes.
enum AdviceRules {
  /// Looks at a task.
  ///
  /// - Parameters:
  ///   - task: The task.
  ///   - version: The version of its args schemas; nil where the file does not say it.
  ///   - findings: Where notes go.
  static func check(_ task: Spot, version: String?, _ findings: inout ManifestFindings) {
    checkCatalogue(task, &findings)
    checkDocumentation(task, &findings)
    let outputs = task["output_types"]?.value.objectValue ?? [:]
    let inputs = task["input_types"]?.value.objectValue ?? [:]
    for name in outputs.keys where inputs[name] == nil || inputs[name] == outputs[name] {
      let state =
        inputs[name] == nil ? "is an output type but no input type" : "is the same in both types"
      findings.note(
        task["output_types"] ?? task, "`\(name)` \(state), so a second run takes its own results",
        fix: "have `\"\(name)\": \(outputs[name] == true ? false : true)` in `input_types`")
    }
    for kind in FractalTask.kinds {
      guard let schema = task.given("args_schema_\(kind)") else { continue }
      if schema["additionalProperties"]?.value != false {
        findings.note(
          schema, "unknown arguments pass", fix: "add `\"additionalProperties\": false`")
      }
      if schema["title"] == nil { findings.note(schema, "the args schema has no title") }
      for (name, spot) in schema["properties"]?.members ?? [] {
        checkParameter(name, spot, version, &findings)
      }
    }
  }

  /// Looks for the program that lies below the folder of the manifest.
  ///
  /// A note, since a manifest may be checked before it lies where it is used.
  ///
  /// - Parameters:
  ///   - task: A manifest of one task.
  ///   - isThere: Whether there is a file at a path below the folder.
  ///   - findings: Where notes go.
  static func checkProgram(
    _ task: Spot, _ isThere: (String) -> Bool, _ findings: inout ManifestFindings
  ) {
    // What is built in, or in a container, lies elsewhere.
    guard let block = task.given("omtask"),
      ["region", "image"].contains(block["contract"]?.value.stringValue),
      block.given("environment")?["apptainer"] == nil
    else { return }
    let first = block.given("command")?.elements.first
    guard let spot = first ?? task.given("executable_parallel"), let text = spot.value.stringValue,
      let file = first == nil ? shellWords(text).first : text
    else { return }
    // A word of the command without a slash is looked up in `PATH`.
    if file.hasPrefix("/") || first != nil && !file.contains("/") || isThere(file) { return }
    findings.note(
      spot,
      "the program `\(file)` is not there, a run looks for it below the folder of the manifest")
  }

  private static func checkCatalogue(_ task: Spot, _ findings: inout ManifestFindings) {
    for (key, known) in [
      ("category", FractalTask.categories), ("modality", FractalTask.modalities),
    ] {
      guard let text = task[key]?.value.stringValue, !known.contains(text), !text.isEmpty,
        let spot = task[key]
      else { continue }
      findings.note(
        spot, "`\(key)` is \"\(text)\", customary are \(known.joined(separator: ", "))")
    }
    if task.given("category") == nil {
      findings.note(task, "`category` is missing, catalogues sort tasks by it")
    }
  }

  private static func checkDocumentation(_ task: Spot, _ findings: inout ManifestFindings) {
    guard let spot = task.given("docs_info"), let text = spot.value.stringValue else {
      findings.note(task, "`docs_info` is missing, it explains the task in markdown")
      return
    }
    let missing = ["Purpose", "Outputs", "Limitations"].filter { !text.contains("### \($0)") }
    if !missing.isEmpty {
      let headings = missing.map { "`### \($0)`" }.joined(separator: ", ")
      findings.note(spot, "`docs_info` lacks the customary headings \(headings)")
    }
  }

  private static func checkParameter(
    _ name: String, _ spot: Spot, _ version: String?, _ findings: inout ManifestFindings
  ) {
    for key in ["title", "description"] where spot[key] == nil && spot["$ref"] == nil {
      findings.note(spot, "`\(name)` has no \(key), forms and help show it", atKey: true)
    }
    if spot["anyOf"] != nil, let version, version != "fractal_schema_v1" {
      findings.note(
        spot, "the form of \(version) shows `anyOf` as a field for text",
        fix: "one type, "
          + "without null, and the name not in `required`", atKey: true)
    }
    for part in [spot] + (spot["anyOf"]?.elements ?? []) where part["type"]?.value == "number" {
      for (key, step) in [("exclusiveMinimum", 1.0), ("exclusiveMaximum", -1.0)] {
        guard let limit = part[key], let number = limit.value.doubleValue else { continue }
        findings.note(
          limit,
          "the form shows `\(key)` \(limit.value.excerpt) as \(canonicalNumber(number + step))",
          fix: "prefer `\(key == "exclusiveMinimum" ? "minimum" : "maximum")`", atKey: true)
      }
    }
  }
}
