import OMJSON

extension TaskTraits {
  /// Reads the `omtask` block.
  ///
  /// - Throws: A fault of kind `manifest` that names the member.
  init(_ block: JSONObject, subject: String) throws(Fault) {
    do throws(Fault) {
      try Self.checkKeys(block, subject)
      summary = try block.required("summary", .string, in: subject)
      contract = try Self.choice("contract", block, subject)
      exactness = try Self.choice("exactness", block, subject)
      resultVersion = try block.required("result_version", .integer, in: subject)
      passes = try Self.list("passes", block, subject) { (item, place) throws(Fault) in
        Pass(
          name: try item.required("name", .string, in: place),
          yields: try item.required("yields", .string, in: place),
          merge: try item.optional("merge", .string, in: place))
      }
      outputs = try Self.list("outputs", block, subject) { (item, place) throws(Fault) in
        Output(
          name: try item.required("name", .string, in: place),
          kind: try item.required("kind", .string, in: place),
          dataTypes: try item.required("dtypes", .strings, in: place))
      }
      dataTypes = try block.required("dtypes", .strings, in: subject)
      let axes = try block.required("axes", .object, in: subject)
      requiredAxes = try axes.required("required", .strings, in: "\(subject).axes")
      optionalAxes = try axes.required("optional", .strings, in: "\(subject).axes")
      groups = try Self.list("groups", block, subject) { (item, place) throws(Fault) in
        Group(
          title: try item.required("title", .string, in: place),
          parameters: try item.required("parameters", .strings, in: place))
      }
      units = try Self.units(block, subject)
      runOnly = try block.optional("run_only", .strings, in: subject) ?? []
      examples = try Self.list("examples", block, subject) { (item, place) throws(Fault) in
        Example(
          text: try item.required("text", .string, in: place),
          command: try item.required("command", .string, in: place))
      }
      program = contract == .kernel ? nil : try ProgramTraits(block, subject: subject)
      try checkProgram(block, subject)
    } catch {
      throw Fault(.manifest, error.subject, error.message, hint: error.hint)
    }
  }

  static let keys =
    [
      "summary", "contract", "exactness", "result_version", "passes", "outputs", "dtypes", "axes",
      "groups", "units", "run_only", "examples",
    ] + ProgramTraits.keys

  private func checkProgram(_ block: JSONObject, _ subject: String) throws(Fault) {
    guard let program else {
      if let key = ProgramTraits.keys.first(where: { block[$0] != nil }) {
        throw Fault(.manifest, subject, "`\(key)` is for the contract `region`, this is `kernel`")
      }
      return
    }
    guard outputs.count == 1, let output = outputs.first, ["label", "image"].contains(output.kind)
    else {
      throw Fault(
        .manifest, subject, "`outputs` must have one label or one image for the contract `region`")
    }
    if program.stitch != .none && output.kind != "label" {
      throw Fault(.manifest, subject, "`stitch` is for labels, the output is an image")
    }
    if program.stitch == .overlap && exactness != .halo {
      throw Fault(
        .manifest, subject, "`stitch` is \"overlap\", with the exactness \"\(exactness.rawValue)\"",
        hint: "its class is \"H\": objects near borders may depend on regions and halo")
    }
    if output.kind == "label",
      let wrong = output.dataTypes.first(where: { !Self.labelTypes.contains($0) })
    {
      throw Fault(
        .manifest, subject,
        "the label has the type \(wrong), known are \(Self.labelTypes.joined(separator: ", "))")
    }
  }

  private static let labelTypes = ["uint8", "uint16", "uint32", "uint64"]

  private static func checkKeys(_ block: JSONObject, _ subject: String) throws(Fault) {
    for key in block.keys where !keys.contains(key) {
      throw Fault(
        .manifest, subject, "`\(key)` is not known here",
        hint: nearestName(key, in: keys).map { "did you mean `\($0)`?" })
    }
  }

  private static func choice<Choice>(
    _ key: String, _ block: JSONObject, _ subject: String
  ) throws(Fault) -> Choice where Choice: CaseIterable & RawRepresentable<String> {
    let text = try block.required(key, .string, in: subject)
    if let choice = Choice(rawValue: text) { return choice }
    let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
    throw Fault(.manifest, subject, "`\(key)` is \"\(text)\", known are \(known)")
  }

  private static func list<Item>(
    _ key: String, _ block: JSONObject, _ subject: String,
    _ read: (JSONObject, String) throws(Fault) -> Item
  ) throws(Fault) -> [Item] {
    var items: [Item] = []
    for (number, object) in try block.required(key, .objects, in: subject).enumerated() {
      items.append(try read(object, "\(subject).\(key)[\(number)]"))
    }
    return items
  }

  private static func units(
    _ block: JSONObject, _ subject: String
  ) throws(Fault) -> [String: String] {
    var units: [String: String] = [:]
    let object = try block.optional("units", .object, in: subject) ?? [:]
    for key in object.keys {
      units[key] = try object.required(key, .string, in: "\(subject).units")
    }
    return units
  }
}
