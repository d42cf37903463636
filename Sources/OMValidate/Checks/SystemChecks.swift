import OMJSON

/// A coordinate system by the image that has it and its name.
struct SystemReference: Sendable, Hashable {
  /// The key of the image below the group; empty for the document itself.
  let path: String
  /// The name of the system.
  let name: String
  /// The place of the reference.
  let pointer: JSONPointer
}

/// The coordinate systems of a document.
struct SystemFacts: Sendable {
  /// The axes by name of the system; nil where they could not be read.
  var axes: [String: [AxisFacts]?] = [:]
  /// The names in their order.
  var names: [String] = []

  /// The first names for messages.
  var text: String {
    if names.isEmpty { return "none" }
    return names.prefix(8).joined(separator: ", ") + (names.count > 8 ? " and more" : "")
  }

  /// The number of axes of a system that is known.
  func rank(_ name: String?) -> Int? { name.flatMap { axes[$0] ?? nil }?.count }
}

extension Inspector {
  /// An image of 0.6 and later.
  mutating func systemImage(_ entry: Spot) -> MultiscaleFacts {
    var facts = MultiscaleFacts(spot: entry)
    if let axes = entry["axes"] {
      report(.axesOutside, axes, "`axes` stands beside `coordinateSystems`")
    }
    var systems = SystemFacts()
    if let list = entry["coordinateSystems"] {
      systems = coordinateSystems(list, mayBeEmpty: false)
    } else {
      report(
        .systemsList, entry, "`coordinateSystems` is missing, expected a list of objects",
        isMissing: true)
    }
    facts.systems = Set(systems.names)
    facts.levels = datasets(entry)
    var intrinsic: String?
    for level in facts.levels {
      let output = levelTransformation(level.spot, systems)
      if let output, let first = intrinsic, first != output {
        report(
          .levelOutputsEqual, level.spot,
          "the output is \"\(output)\", that of the levels before it \"\(first)\"")
      }
      intrinsic = intrinsic ?? output
    }
    facts.axes = intrinsic.flatMap { systems.axes[$0] ?? nil }
    var links: [(String, String)] = []
    if let list = entry["coordinateTransformations"] {
      let items = objects(list, "coordinateTransformations", .imageTransformations) ?? []
      for item in items { imageTransformation(item, systems, intrinsic, &facts, &links) }
    }
    connected(systems.names, by: links, entry["coordinateSystems"] ?? entry)
    return facts
  }

  /// Checks a list of coordinate systems.
  mutating func coordinateSystems(_ list: Spot, mayBeEmpty: Bool) -> SystemFacts {
    var facts = SystemFacts()
    guard let systems = objects(list, "coordinateSystems", .systemsList, mayBeEmpty: mayBeEmpty)
    else { return facts }
    for system in systems {
      let name = required("name", .string, in: system, .systemName)
      if name == "" { report(.systemName, system, "the name of a coordinate system is empty") }
      var axes: [AxisFacts]?
      if let list = system["axes"] {
        axes = self.axes(list)
      } else {
        report(.systemAxes, system, "`axes` is missing", isMissing: true)
      }
      guard let name else { continue }
      if facts.axes[name] != nil {
        report(.systemNameUnique, system, "the coordinate system \"\(name)\" stands twice")
      } else {
        facts.axes[name] = .some(axes)
        facts.names.append(name)
      }
    }
    return facts
  }

  /// Checks the transformation of a dataset; returns the name of its output.
  private mutating func levelTransformation(_ dataset: Spot, _ systems: SystemFacts) -> String? {
    guard
      let items = requiredObjects(
        "coordinateTransformations", in: dataset, .levelTransformation),
      let list = dataset["coordinateTransformations"], let item = items.first
    else { return nil }
    if list.elements.count != 1 {
      report(
        .levelTransformation, list, "there are \(list.elements.count) transformations, expected one"
      )
    }
    let output = levelEnds(item, dataset["path"]?.value.stringValue, systems)
    let rank = systems.rank(output)
    switch required("type", .string, in: item, .levelTransformationType) {
    case "identity": break
    case "scale": scale(item, rank: rank)
    case "sequence": levelSequence(item, rank: rank)
    case let type?:
      report(.levelTransformationType, item, "the transformation is of type \(type)")
    case nil: break
    }
    optional("name", .string, in: item, .kindType)
    return output
  }

  private mutating func levelEnds(
    _ item: Spot, _ path: String?, _ systems: SystemFacts
  ) -> String? {
    if required("input", .object, in: item, .levelInput) != nil, let input = item["input"] {
      let found = required("path", .string, in: input, .levelInput)
      optional("name", .string, in: input, .levelInput)
      if let found, let path, found != path {
        report(.levelInputPath, input, "the input is \"\(found)\", the dataset is \"\(path)\"")
      } else if input["name"] != nil {
        report(.levelInputPath, input, "the input has a `name`, expected only a path")
      }
    }
    guard required("output", .object, in: item, .levelOutput) != nil, let output = item["output"]
    else { return nil }
    optional("path", .string, in: output, .levelOutput)
    guard let name = required("name", .string, in: output, .levelOutput) else { return nil }
    if output["path"].map({ $0.value != .null }) ?? false {
      report(.levelOutputKnown, output, "the output has a `path`, expected only a name")
    } else if systems.axes[name] == nil {
      report(
        .levelOutputKnown, output,
        "the output is \"\(name)\", there are " + systems.text)
    }
    return name
  }

  private mutating func levelSequence(_ item: Spot, rank: Int?) {
    guard let steps = requiredObjects("transformations", in: item, .levelTransformationType),
      let list = item["transformations"]
    else { return }
    let types = steps.map { step -> String? in
      let type = required("type", .string, in: step, .levelTransformationType)
      switch type {
      case "scale": scale(step, rank: rank)
      case "translation": translation(step, rank: rank)
      case let other?:
        report(.levelTransformationType, step, "a step of the sequence is of type \(other)")
      case nil: break
      }
      return type
    }
    if list.elements.count != 2 {
      report(
        .levelTransformationType, list,
        "the sequence has \(list.elements.count) steps, expected a scale and a translation")
    } else if types != ["scale", "translation"] {
      report(
        .levelSequence, list,
        "the sequence is \(types.map { $0 ?? "?" }.joined(separator: ", ")), expected scale, translation"
      )
    }
    stepEnds(steps)
  }

  /// Checks one of the further transformations of an image.
  private mutating func imageTransformation(
    _ item: Spot, _ systems: SystemFacts, _ intrinsic: String?, _ facts: inout MultiscaleFacts,
    _ links: inout [(String, String)]
  ) {
    let ends = ["input", "output"].map { reference($0, in: item, .referenceShape, systems) }
    let ranks = ends.map { end in end.flatMap { $0.path.isEmpty ? systems.rank($0.name) : nil } }
    kind(item, input: ranks[0], output: ranks[1])
    guard let input = ends[0], let output = ends[1] else { return }
    let own = [input, output].filter { $0.path.isEmpty }
    let foreign = [input, output].filter { !$0.path.isEmpty }
    facts.foreign += foreign
    if let intrinsic, !own.contains(where: { $0.name == intrinsic }) {
      report(
        .imageTransformationEnds, item,
        "it leads from \"\(input.name)\" to \"\(output.name)\", the datasets lead to \"\(intrinsic)\""
      )
    }
    let type = item["type"]?.value.stringValue ?? ""
    if !foreign.isEmpty && !["identity", "scale", "translation"].contains(type) {
      report(.labelTransformation, item, "the transformation to another image is of type \(type)")
    }
    if own.count == 2 { links.append((input.name, output.name)) }
  }

  /// Checks an end of a transformation; nil when it names no system.
  mutating func reference(
    _ key: String, in item: Spot, _ rule: Rule, _ systems: SystemFacts
  ) -> SystemReference? {
    if setting == .fragment, let spot = item[key], let name = spot.value.stringValue {
      report(.referenceDraft, spot, "`\(key)` is \"\(name)\", expected an object")
      return known(SystemReference(path: "", name: name, pointer: spot.pointer), spot, systems)
    }
    guard required(key, .object, in: item, rule) != nil, let end = item[key] else { return nil }
    let name = required("name", .string, in: end, rule)
    var path = ""
    if let spot = end["path"], spot.value != .null || rule.name == Rule.sceneEnds.name {
      path = optional("path", .string, in: end, rule) ?? ""
    }
    guard let name else { return nil }
    return known(SystemReference(path: path, name: name, pointer: end.pointer), end, systems)
  }

  private mutating func known(
    _ reference: SystemReference, _ spot: Spot, _ systems: SystemFacts
  ) -> SystemReference {
    if reference.path.isEmpty && systems.axes[reference.name] == nil {
      report(
        .referenceKnown, spot,
        "\"\(reference.name)\" is no coordinate system here, there are "
          + systems.text)
    }
    return reference
  }

  /// Notes systems that no chain of transformations joins to the first.
  mutating func connected(_ names: [String], by links: [(String, String)], _ spot: Spot) {
    guard let first = names.first else { return }
    var neighbours: [String: [String]] = [:]
    for (one, other) in links {
      neighbours[one, default: []].append(other)
      neighbours[other, default: []].append(one)
    }
    var reached: Set = [first]
    var open = [first]
    while let name = open.popLast() {
      for next in neighbours[name] ?? [] where reached.insert(next).inserted { open.append(next) }
    }
    let islands = names.filter { !reached.contains($0) }
    if !islands.isEmpty {
      report(
        .systemsConnected, spot,
        "no transformation connects \(islands.prefix(8).joined(separator: ", ")) with \(first)")
    }
  }
}
