import OMJSON

/// What Fractal server refuses, when it reads the manifest or later, when it makes its tasks.
struct ServerRules {
  var findings: ManifestFindings

  init(_ findings: ManifestFindings) { self.findings = findings }

  // MARK: - The whole file

  /// Checks the keys around the list of tasks.
  mutating func checkList(_ file: Spot) {
    for (key, spot) in file.members where !FractalTask.listKeys.contains(key) {
      dropped(key, spot, FractalTask.listKeys)
    }
    if let version = findings.required("manifest_version", .string, in: file, .server),
      version != "2", let spot = file["manifest_version"]
    {
      findings.error(.server, spot, "`manifest_version` is \"\(version)\", expected \"2\"")
    }
    _ = findings.required("task_list", .objects, in: file, .server)
    _ = findings.optional("has_args_schemas", .bool, in: file, .server)
    _ = text("authors", in: file, fix: "one string with all names")
    checkVersion(file)
    var names: Set<String> = []
    for task in file["task_list"]?.elements ?? [] {
      guard let name = task["name"], let text = name.value.stringValue else { continue }
      if !names.insert(text).inserted {
        findings.error(.server, name, "a second task has the name \"\(text)\"")
      }
    }
  }

  private mutating func checkVersion(_ file: Spot) {
    let version = text("args_schema_version", in: file)
    let known = FractalTask.schemaVersions
    if let version, !known.contains(version), let spot = file["args_schema_version"] {
      findings.error(
        .form, spot,
        "`args_schema_version` is \"\(version)\", forms know \(known.joined(separator: ", "))",
        fix: nearestName(version, in: known).map { "did you mean \"\($0)\"?" })
    } else if file["has_args_schemas"]?.value == true, file.given("args_schema_version") == nil {
      findings.error(
        .form, file, "`args_schema_version` is missing, so no form is shown",
        fix: "add `\"args_schema_version\": \"\(known[1])\"`")
    }
  }

  /// Notes a key that the server drops.
  mutating func dropped(_ key: String, _ spot: Spot, _ known: [String]) {
    if key == "omtask" || key == "$schema" { return }
    if let nearest = nearestName(key, in: known) {
      findings.error(
        .server, spot, "`\(key)` is not known here", fix: "did you mean `\(nearest)`?", atKey: true)
    } else {
      findings.note(spot, "`\(key)` is not known, Fractal drops it", atKey: true)
    }
  }

  // MARK: - One task

  /// Checks the keys of a task but for what is in its schemas.
  ///
  /// - Parameters:
  ///   - task: The task.
  ///   - needsSchemas: Whether every executable needs an args schema.
  mutating func check(_ task: Spot, needsSchemas: Bool) {
    if let name = findings.required("name", .string, in: task, .server) {
      checkFilled(name, "name", task)
    }
    for key in ["category", "modality"] { _ = text(key, in: task) }
    _ = findings.optional("docs_info", .string, in: task, .server, nullable: true)
    checkExecutables(task)
    for kind in FractalTask.kinds {
      checkMeta(task, kind)
      checkSchema(task, kind, isNeeded: needsSchemas)
    }
    checkTypes(task)
    checkTags(task)
    checkLink(task)
  }

  /// A string that must not be empty, when it is there.
  private mutating func text(_ key: String, in object: Spot, fix: String? = nil) -> String? {
    guard let spot = object.given(key) else { return nil }
    guard let text = spot.value.stringValue else {
      findings.error(
        .server, spot, "`\(key)` is \(spot.value.excerpt), expected a string", fix: fix)
      return nil
    }
    checkFilled(text, key, object)
    return text
  }

  private mutating func checkFilled(_ text: String, _ key: String, _ object: Spot) {
    guard text.allSatisfy(\.isWhitespace), let spot = object[key] else { return }
    findings.error(
      .server, spot, "`\(key)` is \"\(text)\", an empty string is refused when the task is made",
      fix: key == "name" ? nil : "leave it out")
  }

  private mutating func checkExecutables(_ task: Spot) {
    var present: [String] = []
    for kind in FractalTask.kinds {
      let key = "executable_\(kind)"
      guard let spot = task.given(key), let path = text(key, in: task) else { continue }
      present.append(kind)
      let wrong = path.filter(FractalTask.forbiddenInCommands.contains)
      if !wrong.isEmpty {
        findings.error(
          .server, spot, "`\(key)` is \"\(path)\", no command may have the characters \(wrong)")
      }
    }
    let declared = FractalTask.kinds.filter { task.given("executable_\($0)") != nil }
    if declared.isEmpty {
      findings.error(
        .server, task, "neither `executable_parallel` nor `executable_non_parallel` is there")
    }
    checkType(task, declared)
  }

  private mutating func checkType(_ task: Spot, _ executables: [String]) {
    let known = FractalTask.types.map(\.type)
    guard let spot = task.given("type") else {
      findings.note(
        task, "`type` is missing, Fractal guesses it from the executables",
        fix: "one of \(known.joined(separator: ", "))")
      return
    }
    let text = spot.value.stringValue ?? spot.value.excerpt
    guard let type = FractalTask.types.first(where: { $0.type == text }) else {
      findings.error(
        .server, spot, "`type` is \"\(text)\", known are \(known.joined(separator: ", "))",
        fix: nearestName(text, in: known).map { "did you mean \"\($0)\"?" })
      return
    }
    for kind in FractalTask.kinds {
      let isThere = executables.contains(kind)
      if (type.arguments[kind] != nil) == isThere { continue }
      findings.error(
        .server, isThere ? task["executable_\(kind)"] ?? task : spot,
        "the type \(text) has \(isThere ? "no" : "an") `executable_\(kind)`, "
          + (isThere ? "here is one" : "here is none"), atKey: isThere)
    }
  }

  private mutating func checkMeta(_ task: Spot, _ kind: String) {
    let key = "meta_\(kind)"
    guard let meta = task[key], findings.optional(key, .object, in: task, .server) != nil else {
      return
    }
    if task.given("executable_\(kind)") == nil && !meta.members.isEmpty {
      findings.error(
        .server, meta, "`\(key)` is there, but no `executable_\(kind)`", fix: "leave it out",
        atKey: true)
    }
    SlurmRules.check(meta, &findings)
  }

  private mutating func checkSchema(_ task: Spot, _ kind: String, isNeeded: Bool) {
    let key = "args_schema_\(kind)"
    let isCalled = task.given("executable_\(kind)") != nil
    guard let schema = task.given(key) else {
      if isNeeded && isCalled {
        findings.error(.server, task, "`\(key)` is missing, `executable_\(kind)` needs one")
      }
      return
    }
    if schema.value.objectValue == nil {
      findings.error(.server, schema, "`\(key)` is \(schema.value.excerpt), expected an object")
    } else if !isCalled {
      findings.error(
        .server, schema, "`\(key)` is there, but no `executable_\(kind)`", fix: "leave it out",
        atKey: true)
    }
  }

  private mutating func checkTypes(_ task: Spot) {
    for key in ["input_types", "output_types"] {
      guard let types = task[key], findings.optional(key, .object, in: task, .server) != nil else {
        continue
      }
      for (name, spot) in types.members {
        if name.allSatisfy(\.isWhitespace) {
          findings.error(.server, spot, "a key in `\(key)` is empty", atKey: true)
        }
        if spot.value.boolValue == nil {
          findings.error(
            .server, spot, "`\(name)` in `\(key)` is \(spot.value.excerpt), expected true or false")
        }
      }
    }
  }

  private mutating func checkTags(_ task: Spot) {
    guard let tags = task["tags"], findings.optional("tags", .strings, in: task, .server) != nil
    else { return }
    var seen: Set<String> = []
    for spot in tags.elements {
      let start = (spot.value.stringValue ?? "").drop(while: \.isWhitespace)
      let tag = String(start.reversed().drop(while: \.isWhitespace).reversed())
      if tag.isEmpty {
        findings.error(.server, spot, "a tag is empty, that is refused when the task is made")
      } else if !seen.insert(tag).inserted {
        findings.error(
          .server, spot, "the tag \"\(tag)\" stands twice, that is refused when the task is made")
      }
    }
  }

  private mutating func checkLink(_ task: Spot) {
    guard let spot = task.given("docs_link") else { return }
    let link = spot.value.stringValue ?? ""
    let host = ["http://", "https://"].compactMap { scheme in
      link.lowercased().hasPrefix(scheme) ? link.dropFirst(scheme.count) : nil
    }.first
    let isGood = host.map { !$0.isEmpty && $0.first != "/" && !$0.contains(" ") } ?? false
    if !isGood {
      findings.error(
        .server, spot, "`docs_link` is \(spot.value.excerpt), expected an http or https address",
        fix: link.isEmpty ? "leave it out" : nil)
    }
  }
}
