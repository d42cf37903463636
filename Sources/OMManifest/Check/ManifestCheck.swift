public import OMJSON

/// Everything that is wrong with a manifest, by the rules of all who read it.
///
/// It knows files of one task as in `Manifests/`, and Fractal's files with a list of tasks. The
/// rules are those of omtask's reader, of Fractal server, of fractal-task-tools and of the forms of
/// Fractal's web client; where these differ, a manifest must please all.
public enum ManifestCheck {
  /// What is wrong with a document, in the order of the rules.
  ///
  /// - Parameters:
  ///   - document: The manifest.
  ///   - isThere: Whether there is a file at a path below the folder of the manifest; nil where nobody can look.
  /// - Returns: What was found.
  public static func findings(
    in document: JSON, isThere: ((String) -> Bool)? = nil
  ) -> [ManifestFinding] {
    var findings = ManifestFindings()
    let root = Spot(value: document, pointer: JSONPointer())
    if document.objectValue == nil {
      findings.error(.omtask, root, "the manifest is \(document.kindName), expected an object")
    } else if ["task_list", "manifest_version"].contains(where: { document[$0] != nil }) {
      checkList(root, &findings)
    } else {
      checkOwn(root, &findings)
      if let isThere { AdviceRules.checkProgram(root, isThere, &findings) }
    }
    return findings.all
  }

  /// What is wrong with the text of a manifest, in the order of the text.
  ///
  /// - Parameters:
  ///   - text: The text of the file.
  ///   - subject: The file, as messages should name it.
  ///   - isThere: Whether there is a file at a path below the folder of the manifest; nil where nobody can look.
  /// - Returns: Findings with their places. Of a text that is no JSON the first mistake only, since
  ///   what follows cannot be understood.
  public static func findings(
    inText text: [UInt8], subject: String, isThere: ((String) -> Bool)? = nil
  ) -> [(finding: ManifestFinding, place: TextPlace)] {
    do throws(Fault) {
      let document = try JSON(parsing: text, subject: subject)
      let places = try JSONPlaces(text, subject: subject)
      let placed = findings(in: document, isThere: isThere).map { finding in
        (finding, places.place(of: finding.pointer, atKey: finding.isAboutKey))
      }
      return placed.enumerated()
        .sorted { ($0.element.1, $0.offset) < ($1.element.1, $1.offset) }.map(\.element)
    } catch {
      let place = error.located?.place ?? TextPlace(line: 1, column: 1)
      let finding = ManifestFinding(
        severity: .error, rule: .json, pointer: JSONPointer(), isAboutKey: false,
        message: error.located?.message ?? error.message, fix: error.hint)
      return [(finding, place)]
    }
  }

  // MARK: - Kinds of files

  private static func checkList(_ file: Spot, _ findings: inout ManifestFindings) {
    with(&findings, ServerRules.init) { $0.checkList(file) }
    let needsSchemas = file["has_args_schemas"]?.value == true
    for task in file["task_list"]?.elements ?? [] where task.value.objectValue != nil {
      with(&findings, ServerRules.init) { rules in
        for (key, spot) in task.members where !FractalTask.keys.contains(key) {
          rules.dropped(key, spot, FractalTask.keys)
        }
      }
      checkTask(
        task, needsSchemas: needsSchemas, version: file["args_schema_version"]?.value.stringValue,
        &findings)
      if task.given("omtask") != nil { checkBlock(task, &findings) }
    }
  }

  private static func checkOwn(_ task: Spot, _ findings: inout ManifestFindings) {
    findings.checkKeys(task, FractalTask.ownKeys, .omtask)
    for (key, shape) in [
      ("type", JSONShape.string), ("category", .string), ("docs_info", .string),
    ] { _ = findings.required(key, shape, in: task, .omtask) }
    checkTask(task, needsSchemas: true, version: nil, &findings)
    if findings.required("omtask", .object, in: task, .omtask) != nil {
      checkBlock(task, &findings)
    }
    checkReading(task, &findings)
  }

  /// Checks what every reader of Fractal's manifests asks of a task.
  private static func checkTask(
    _ task: Spot, needsSchemas: Bool, version: String?, _ findings: inout ManifestFindings
  ) {
    with(&findings, ServerRules.init) { $0.check(task, needsSchemas: needsSchemas) }
    ArgumentRules.check(task, &findings)
    for kind in FractalTask.kinds {
      guard let schema = task["args_schema_\(kind)"], schema.value.objectValue != nil else {
        continue
      }
      with(&findings, { FormRules(schema, $0) }) { $0.check() }
      with(&findings, { TaskToolsRules(schema, $0) }) { $0.check() }
      DefaultRules.check(schema, root: schema.value, &findings)
    }
    AdviceRules.check(task, version: version, &findings)
  }

  /// Checks our own block, and what it says about the parameters.
  private static func checkBlock(_ task: Spot, _ findings: inout ManifestFindings) {
    guard let block = task["omtask"], block.value.objectValue != nil else { return }
    with(&findings, { BlockRules(block, $0) }) { $0.checkShape() }
    if let type = task.given("type"), type.value != .string(TaskType.parallel.rawValue) {
      findings.error(
        .omtask, type,
        "the type is \(type.value.excerpt), a task with our block is of the type `parallel`",
        fix: "leave the block `omtask` out: tasks of all types are run without it")
    }
    guard let schema = task["args_schema_parallel"], schema.value.objectValue != nil else { return }
    // The parameters of other programs may be anything.
    if block["contract"]?.value != "image" { ParameterRules.check(schema, &findings) }
    if let properties = schema["properties"], properties.value.objectValue != nil {
      with(&findings, { BlockRules(block, $0) }) { $0.checkParameters(properties) }
    }
    ExampleRules.check(task, &findings)
  }

  /// Reads the manifest as a run does: what no rule found is found here.
  private static func checkReading(_ task: Spot, _ findings: inout ManifestFindings) {
    if findings.hasErrors(within: task.pointer) { return }
    do throws(Fault) {
      let manifest = try Manifest(text: task.value.text(), subject: "")
      ExampleRules.bind(manifest, task, &findings)
    } catch {
      // The subject is the path below the file, which has no name here.
      let text = error.description.drop { $0 == ":" || $0 == " " }
      findings.error(.omtask, task, String(text), fix: error.hint)
    }
  }

  /// Lends the findings to rules that collect into their own.
  private static func with<Rules: FindingRules>(
    _ findings: inout ManifestFindings, _ make: (ManifestFindings) -> Rules,
    _ check: (inout Rules) -> Void
  ) {
    var rules = make(findings)
    check(&rules)
    findings = rules.findings
  }
}

/// Rules that collect what they find.
protocol FindingRules {
  /// What was found so far.
  var findings: ManifestFindings { get }
}

extension ServerRules: FindingRules {}
extension FormRules: FindingRules {}
extension TaskToolsRules: FindingRules {}
extension BlockRules: FindingRules {}
