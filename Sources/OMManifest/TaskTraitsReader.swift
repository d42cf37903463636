import OMJSON

extension TaskTraits {
  /// Reads the `omtask` block.
  ///
  /// - Parameters:
  ///   - block: The block.
  ///   - parameters: The names of the user's parameters, for a block without groups.
  ///   - subject: How to name the block in an error.
  /// - Throws: A fault of kind `manifest` that names the member.
  init(_ block: JSONObject, parameters: [String], subject: String) throws(Fault) {
    do throws(Fault) {
      try Self.checkKeys(block, subject)
      summary = try block.required("summary", .string, in: subject)
      let contract: Contract = try Self.choice("contract", block, subject)
      self.contract = contract
      resultVersion = try block.required("result_version", .integer, in: subject)
      try Self.checkKeys(block, of: contract, subject)
      if contract == .image {
        (exactness, passes, outputs, program) = (nil, [], [], nil)
        (dataTypes, requiredAxes, optionalAxes) = ([], [], [])
        imageProgram = try ImageProgramTraits(block, subject: subject)
        groups =
          block["groups"] == nil
          ? [Group(title: "Parameters", parameters: parameters)]
          : try Self.groups(block, subject)
        units = try Self.units(block, subject)
        runOnly = try block.optional("run_only", .strings, in: subject) ?? []
        examples = block["examples"] == nil ? [] : try Self.examples(block, subject)
        return
      }
      imageProgram = nil
      exactness = try Self.choice("exactness", block, subject) as Exactness
      passes = try Self.list("passes", block, subject) { (item, place) throws(Fault) in
        Pass(
          name: try item.required("name", .string, in: place),
          yields: try item.required("yields", .string, in: place),
          merge: try item.optional("merge", .string, in: place))
      }
      outputs = try Self.list("outputs", block, subject) { (item, place) throws(Fault) in
        let partials = try PartialTraits(item, subject: place)
        return Output(
          name: try item.required("name", .string, in: place),
          kind: try item.required("kind", .string, in: place),
          dataTypes: partials == nil ? try item.required("dtypes", .strings, in: place) : [],
          partials: partials)
      }
      dataTypes = try block.required("dtypes", .strings, in: subject)
      let axes = try block.required("axes", .object, in: subject)
      requiredAxes = try axes.required("required", .strings, in: "\(subject).axes")
      optionalAxes = try axes.required("optional", .strings, in: "\(subject).axes")
      groups = try Self.groups(block, subject)
      units = try Self.units(block, subject)
      runOnly = try block.optional("run_only", .strings, in: subject) ?? []
      examples = try Self.examples(block, subject)
      program = contract == .kernel ? nil : try ProgramTraits(block, subject: subject)
      try checkProgram(block, subject)
    } catch {
      throw Fault(.manifest, error.subject, error.message, hint: error.hint)
    }
  }

  private static func groups(_ block: JSONObject, _ subject: String) throws(Fault) -> [Group] {
    try list("groups", block, subject) { (item, place) throws(Fault) in
      Group(
        title: try item.required("title", .string, in: place),
        parameters: try item.required("parameters", .strings, in: place))
    }
  }

  private static func examples(
    _ block: JSONObject, _ subject: String
  ) throws(Fault) -> [Example] {
    try list("examples", block, subject) { (item, place) throws(Fault) in
      Example(
        text: try item.required("text", .string, in: place),
        command: try item.required("command", .string, in: place))
    }
  }

  /// What omtask must know of voxels that it reads and writes itself.
  static let voxelKeys = ["exactness", "passes", "outputs", "dtypes", "axes"]

  /// All keys of a block, whatever its contract.
  static let keys =
    ["summary", "contract", "result_version", "groups", "units", "run_only", "examples"]
    + voxelKeys + ProgramTraits.keys
    + ImageProgramTraits.keys.filter { !ProgramTraits.keys.contains($0) }

  /// Which contracts a key is for, when it is not for this one; nil when it is.
  static func contracts(otherThan contract: Contract, of key: String) -> String? {
    var owners: [Contract] = Contract.allCases
    let (region, image) = (ProgramTraits.keys.contains(key), ImageProgramTraits.keys.contains(key))
    if voxelKeys.contains(key) { owners = [.kernel, .region] }
    if region || image { owners = (region ? [.region] : []) + (image ? [.image] : []) }
    if owners.contains(contract) { return nil }
    return owners.map { "`\($0.rawValue)`" }.joined(separator: " or ")
  }

  private static func checkKeys(
    _ block: JSONObject, of contract: Contract, _ subject: String
  ) throws(Fault) {
    for key in block.keys {
      guard let owners = contracts(otherThan: contract, of: key) else { continue }
      throw Fault(
        .manifest, subject,
        "`\(key)` is for the contract \(owners), this is `\(contract.rawValue)`")
    }
  }

  private func checkProgram(_ block: JSONObject, _ subject: String) throws(Fault) {
    if contract == .kernel && outputs.contains(where: { $0.partials != nil }) {
      throw Fault(.manifest, subject, "`partials` is for the contract `region`, this is `kernel`")
    }
    guard let program else { return }
    guard outputs.count == 1, let output = outputs.first, Self.isRegional(output) else {
      throw Fault(.manifest, subject, Self.regionalOutputs)
    }
    if program.stitch != .none && output.kind != "label" {
      throw Fault(
        .manifest, subject,
        "`stitch` is for labels, the output is \(output.kind == "image" ? "an image" : "a table")")
    }
    if program.stitch == .overlap && exactness != .halo {
      throw Fault(
        .manifest, subject,
        "`stitch` is \"overlap\", with the exactness "
          + "\"\(exactness?.rawValue ?? "none")\"",
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

  /// Whether a program that is given regions can make an output.
  private static func isRegional(_ output: Output) -> Bool {
    ["label", "image"].contains(output.kind) || output.kind == "table" && output.partials != nil
  }

  /// What such a program makes.
  static let regionalOutputs =
    "`outputs` must have one label, one image or one table with `partials` for the contract `region`"

  static let labelTypes = ["uint8", "uint16", "uint32", "uint64"]

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
