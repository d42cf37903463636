import OMJSON

/// Our own block: its shape, and that it speaks of parameters that exist.
struct BlockRules {
  var findings: ManifestFindings
  private let block: Spot

  init(_ block: Spot, _ findings: ManifestFindings) {
    self.block = block
    self.findings = findings
  }

  /// The keys of the objects in the block's lists.
  static let itemKeys = [
    "passes": ["name", "yields", "merge"],
    "outputs": ["name", "kind", "dtypes"] + PartialTraits.keys,
    "groups": ["title", "parameters"], "examples": ["text", "command"],
  ]
  static let axesKeys = ["required", "optional"]
  private static let merges = ["replicated", "by key", "by region"]
  private static let kinds = ["label", "image", "table", "levels"]
  private static let axes = ["t", "c", "z", "y", "x"]
  private static let dataTypes = [
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16",
    "float32", "float64",
  ]

  // MARK: - Shape

  /// Checks everything that needs no look at the parameters.
  mutating func checkShape() {
    findings.checkKeys(block, TaskTraits.keys, .omtask)
    checkText("summary", in: block)
    checkChoice("contract", TaskTraits.Contract.allCases.map(\.rawValue), in: block)
    let contract = block["contract"]?.value.stringValue.flatMap(TaskTraits.Contract.init)
    checkContract(contract ?? .kernel)
    if let version = findings.required("result_version", .integer, in: block, .omtask),
      version < 1, let spot = block["result_version"]
    {
      findings.error(.omtask, spot, "`result_version` is \(version), it begins at 1")
    }
    if contract != .image { checkVoxels() }
    // Programs of others may leave these out: then all parameters are in one group.
    let isShort = contract == .image
    for group in isShort && block["groups"] == nil ? [] : items("groups", mayBeEmpty: true) {
      checkText("title", in: group)
      _ = findings.required("parameters", .strings, in: group, .omtask)
    }
    if contract == .region { checkRegionProgram() }
    if contract == .image { checkImageProgram() }
    checkUnits()
    _ = findings.optional("run_only", .strings, in: block, .omtask, nullable: true)
    for example in isShort && block["examples"] == nil ? [] : items("examples", mayBeEmpty: true) {
      checkText("text", in: example)
      checkText("command", in: example)
    }
  }

  /// Checks that there is nothing that only tasks of other contracts have.
  private mutating func checkContract(_ contract: TaskTraits.Contract) {
    for (key, _) in block.members {
      guard let owners = TaskTraits.contracts(otherThan: contract, of: key),
        let spot = block.given(key)
      else { continue }
      findings.error(
        .omtask, spot, "`\(key)` is for the contract \(owners)", fix: "leave it out", atKey: true)
    }
  }

  /// Checks what is said of voxels that omtask reads and writes.
  private mutating func checkVoxels() {
    checkChoice("exactness", TaskTraits.Exactness.allCases.map(\.rawValue), in: block)
    for pass in items("passes") {
      checkText("name", in: pass)
      checkText("yields", in: pass)
      if pass.given("merge") != nil { checkChoice("merge", Self.merges, in: pass) }
    }
    for output in items("outputs") {
      checkText("name", in: output)
      if let name = output["name"], let text = name.value.stringValue,
        text.contains("/") || text == "." || text == ".."
      {
        findings.error(
          .omtask, name, "the output `\(text)` has a name that is a path",
          fix: "take one name without slashes")
      }
      checkChoice("kind", Self.kinds, in: output)
      if PartialTraits.keys.contains(where: { output[$0] != nil }) {
        checkPartials(output)
      } else {
        checkNames("dtypes", Self.dataTypes, in: output)
      }
    }
    checkNames("dtypes", Self.dataTypes, in: block)
    checkAxes()
  }

  /// Checks what is said of a table that is made of answers for regions.
  private mutating func checkPartials(_ output: Spot) {
    if block["contract"]?.value != "region",
      let (key, spot) = output.members.first(
        where: { PartialTraits.keys.contains($0.key) })
    {
      findings.error(
        .omtask, spot, "`\(key)` is for the contract `region`", fix: "leave it out", atKey: true)
      return
    }
    for mistake in PartialTraits.mistakes(output.value) {
      var spot = output
      for step in mistake.path {
        let elements = spot.elements
        let place = Int(step).flatMap { elements.indices.contains($0) ? elements[$0] : nil }
        spot = spot[step] ?? place ?? spot
      }
      findings.error(.omtask, spot, mistake.message, fix: mistake.fix)
    }
  }

  /// Checks that there is one thing that a program which is given regions can make.
  private mutating func checkRegionOutputs() {
    guard let list = block["outputs"], let outputs = list.value.arrayValue, !outputs.isEmpty else {
      return
    }
    let kinds = outputs.map { $0["kind"]?.stringValue ?? "" }
    if !Self.kinds.contains(kinds[0]) { return }
    let isTable = kinds[0] == "table" && outputs[0]["partials"] != nil
    if kinds[0] == "label", let types = list.elements.first?["dtypes"] {
      for spot in types.elements {
        guard let name = spot.value.stringValue, Self.dataTypes.contains(name),
          !TaskTraits.labelTypes.contains(name)
        else { continue }
        findings.error(
          .omtask, spot,
          "the label has the type \(name), known are \(TaskTraits.labelTypes.joined(separator: ", "))"
        )
      }
    }
    if outputs.count > 1 || !["label", "image"].contains(kinds[0]) && !isTable {
      findings.error(
        .omtask, list, TaskTraits.regionalOutputs,
        fix: outputs.count > 1 ? "make a task of each" : "declare `partials` of a table")
    }
  }

  /// Checks what only programs have that are given images.
  private mutating func checkImageProgram() {
    checkCommand(findings.optional("command", .strings, in: block, .omtask))
    checkEnvironment()
    for (key, range) in [
      ("retries", ImageProgramTraits.retriesRange), ("time_limit", ImageProgramTraits.timeRange),
    ] {
      guard let number = findings.optional(key, .integer, in: block, .omtask),
        !(range ~= number), let spot = block[key]
      else { continue }
      findings.error(
        .omtask, spot, "`\(key)` is \(number), it is \(range.lowerBound) to \(range.upperBound)")
    }
  }

  private mutating func checkEnvironment() {
    guard let environment = block.given("environment") else { return }
    guard environment.value.objectValue != nil else {
      findings.error(
        .omtask, environment,
        "`environment` is \(environment.value.kindName), expected an object",
        fix: ProgramTraits.environmentExample)
      return
    }
    findings.checkKeys(environment, ProgramTraits.Home.allCases.map(\.rawValue), .omtask)
    if environment.members.count != 1 {
      findings.error(
        .omtask, environment,
        "`environment` names \(environment.members.count) places, expected one",
        fix: ProgramTraits.environmentExample)
    }
    for (key, spot) in environment.members where spot.value.stringValue?.isEmpty ?? true {
      findings.error(
        .omtask, spot, "`\(key)` is \(spot.value.excerpt), expected a path",
        fix: ProgramTraits.environmentExample)
    }
  }

  /// Checks that the program may be started.
  private mutating func checkCommand(_ words: [String]?) {
    guard let words, let spot = block["command"] else { return }
    guard let program = words.first, !program.isEmpty else {
      return findings.error(.omtask, spot, "`command` names no program")
    }
    if !program.hasPrefix("/"), program.split(separator: "/").contains("..") {
      findings.error(
        .omtask, spot.elements.first ?? spot,
        "the program `\(program)` does not lie below the folder of the manifest",
        fix: "move it there, or give its whole path")
    }
  }

  /// Checks what only programs have that are given regions.
  private mutating func checkRegionProgram() {
    checkCommand(findings.required("command", .strings, in: block, .omtask))
    if block.given("region") != nil {
      checkChoice("region", ProgramTraits.Reach.allCases.map(\.rawValue), in: block)
    }
    if let stitch = block.given("stitch") {
      checkChoice("stitch", ProgramTraits.Stitch.allCases.map(\.rawValue), in: block)
      if stitch.value == "overlap" { checkOverlap(stitch) }
      checkStitched(stitch)
    }
    checkReach()
    checkRegionOutputs()
    checkEnvironment()
    if let number = findings.optional("memory_per_voxel", .integer, in: block, .omtask),
      !(ProgramTraits.memoryRange ~= number), let spot = block["memory_per_voxel"]
    {
      findings.error(.omtask, spot, "`memory_per_voxel` is \(number), it is 0 to 1048576")
    }
    if let halo = block.given("halo") {
      findings.checkKeys(halo, ProgramTraits.haloAxes, .omtask)
      for (axis, spot) in halo.members where HaloSize(spot.value) == nil {
        findings.error(
          .omtask, spot, "the halo along \(axis) is \(spot.value.excerpt)",
          fix: "a number of voxels, `\"radius\"` or `\"4*sigma\"`")
      }
    }
  }

  /// Checks that labels are what is joined.
  private mutating func checkStitched(_ stitch: Spot) {
    guard stitch.value != "none", let kind = block["outputs"]?.elements.first?["kind"]?.value,
      kind == "image" || kind == "table"
    else { return }
    findings.error(
      .omtask, stitch,
      "`stitch` is for labels, the output is \(kind == "image" ? "an image" : "a table")",
      fix: "leave it out")
  }

  /// Checks that nothing is asked for beyond a border where there is nothing.
  private mutating func checkReach() {
    guard let region = block.given("region"), let reach = region.value.stringValue,
      reach.hasPrefix("whole-")
    else { return }
    let halo = block.given("halo").flatMap { $0.members.isEmpty ? nil : $0 }
    let stitch = block.given("stitch").flatMap { $0.value == "none" ? nil : $0 }
    for (key, spot) in [("halo", halo), ("stitch", stitch)] {
      guard let spot else { continue }
      findings.error(
        .omtask, spot, "`region` is \(region.value.excerpt), with `\(key)`",
        fix: "leave it out: nothing lies beyond the border of such a region", atKey: true)
    }
  }

  /// Checks what joining by overlap needs.
  private mutating func checkOverlap(_ stitch: Spot) {
    let halo = block.given("halo")
    for axis in ["y", "x"] where halo?.given(axis) == nil {
      findings.error(
        .omtask, stitch, "`stitch` is \"overlap\", without a `halo` along \(axis)",
        fix: "objects are compared in the halo: make it about as wide as they are")
    }
    if let exactness = block.given("exactness"), exactness.value != "H" {
      findings.error(
        .omtask, exactness,
        "`stitch` is \"overlap\", with the exactness \(exactness.value.excerpt)",
        fix: "its class is \"H\": objects near borders may depend on regions and halo")
    }
  }

  /// The objects of a list, which must be there.
  private mutating func items(_ key: String, mayBeEmpty: Bool = false) -> [Spot] {
    guard let list = findings.required(key, .objects, in: block, .omtask) else { return [] }
    if list.isEmpty && !mayBeEmpty, let spot = block[key] {
      findings.error(.omtask, spot, "`\(key)` is empty")
    }
    let spots = block[key]?.elements ?? []
    for spot in spots { findings.checkKeys(spot, Self.itemKeys[key] ?? [], .omtask) }
    return spots
  }

  private mutating func checkText(_ key: String, in object: Spot) {
    if findings.required(key, .string, in: object, .omtask) == "", let spot = object[key] {
      findings.error(.omtask, spot, "`\(key)` is empty")
    }
  }

  private mutating func checkChoice(_ key: String, _ known: [String], in object: Spot) {
    guard let text = findings.required(key, .string, in: object, .omtask), !known.contains(text),
      let spot = object[key]
    else { return }
    findings.error(
      .omtask, spot, "`\(key)` is \"\(text)\", known are \(known.joined(separator: ", "))",
      fix: nearestName(text, in: known).map { "did you mean \"\($0)\"?" })
  }

  private mutating func checkNames(
    _ key: String, _ known: [String], in object: Spot, mayBeEmpty: Bool = false
  ) {
    guard let names = findings.required(key, .strings, in: object, .omtask),
      let list = object[key]
    else { return }
    if names.isEmpty && !mayBeEmpty { findings.error(.omtask, list, "`\(key)` is empty") }
    var seen: Set<String> = []
    for (name, spot) in zip(names, list.elements) {
      if !known.contains(name) {
        findings.error(
          .omtask, spot, "`\(key)` has \"\(name)\", known are \(known.joined(separator: ", "))",
          fix: nearestName(name, in: known).map { "did you mean \"\($0)\"?" })
      } else if !seen.insert(name).inserted {
        findings.error(.omtask, spot, "`\(key)` has \"\(name)\" twice")
      }
    }
  }

  private mutating func checkAxes() {
    guard findings.required("axes", .object, in: block, .omtask) != nil, let axes = block["axes"]
    else { return }
    findings.checkKeys(axes, Self.axesKeys, .omtask)
    for key in Self.axesKeys { checkNames(key, Self.axes, in: axes, mayBeEmpty: true) }
    let required = axes["required"]?.value.arrayValue ?? []
    for spot in axes["optional"]?.elements ?? [] where required.contains(spot.value) {
      findings.error(.omtask, spot, "the axis \(spot.value.excerpt) is required and optional")
    }
  }

  private mutating func checkUnits() {
    _ = findings.optional("units", .object, in: block, .omtask, nullable: true)
    for (name, spot) in block["units"]?.members ?? [] where spot.value.stringValue == nil {
      findings.error(
        .omtask, spot, "the unit of `\(name)` is \(spot.value.excerpt), expected a string")
    }
  }

  // MARK: - Parameters

  /// Checks that the block speaks of all parameters, and of no others.
  ///
  /// - Parameter properties: The parameters, the reserved ones too.
  mutating func checkParameters(_ properties: Spot) {
    let declared = properties.members.filter {
      !ParameterDeclaration.reservedNames.contains($0.key)
    }
    let names = declared.map(\.key)
    for (_, spot) in block.given("halo")?.members ?? [] {
      guard let name = HaloSize(spot.value)?.parameter, !names.contains(name) else { continue }
      findings.error(.omtask, spot, unknown(name), fix: Self.suggestion(name, names))
    }
    // Without groups all parameters are in one.
    if block["groups"] == nil { return checkNamed(names) }
    var grouped: Set<String> = []
    for spot in (block["groups"]?.elements ?? []).flatMap({ $0["parameters"]?.elements ?? [] }) {
      guard let name = checkName(spot, names) else { continue }
      if !grouped.insert(name).inserted {
        findings.error(.omtask, spot, "the parameter `\(name)` is in a group already")
      }
    }
    checkNamed(names)
    for (name, spot) in declared where !grouped.contains(name) {
      findings.error(
        .omtask, spot, "the parameter `\(name)` is in none of the groups",
        fix: "name it in `omtask.groups`", atKey: true)
    }
  }

  private mutating func checkNamed(_ names: [String]) {
    for spot in block["run_only"]?.elements ?? [] { _ = checkName(spot, names) }
    for (name, spot) in block["units"]?.members ?? [] where !names.contains(name) {
      findings.error(
        .omtask, spot, unknown(name), fix: Self.suggestion(name, names), atKey: true)
    }
  }

  private mutating func checkName(_ spot: Spot, _ names: [String]) -> String? {
    guard let name = spot.value.stringValue else { return nil }
    if names.contains(name) { return name }
    findings.error(.omtask, spot, unknown(name), fix: Self.suggestion(name, names))
    return nil
  }

  private func unknown(_ name: String) -> String { "there is no parameter `\(name)`" }

  private static func suggestion(_ name: String, _ names: [String]) -> String? {
    nearestName(name, in: names).map { "did you mean `\($0)`?" }
  }
}
