import OMJSON

extension Inspector {
  /// Checks the attributes of a node of RFC-8.
  mutating func nodeAttributes(_ attributes: Spot, _ type: String, _ facts: CollectionFacts) {
    for (key, spot) in attributes.members where !key.contains(":") {
      switch key {
      case "coordinateSystems": nodeSystems(spot)
      case "coordinateTransformations": nodeTransformations(spot, type, facts)
      case "scene": nodeScene(spot, facts)
      case "labels": nodeLabels(spot, type, facts)
      case "plate": nodePlate(spot)
      case "well":
        if spot.value.objectValue == nil {
          report(.nodeWell, spot, "`well` is \(spot.value.excerpt), expected an object")
        }
        for (key, kind) in [("row", "rows"), ("column", "columns")] {
          if let end = spot[key] {
            nodeReference(end, facts, kind: kind)
          } else if spot.value.objectValue != nil {
            report(.nodeWell, spot, "`\(key)` is missing", isMissing: true)
          }
        }
      case "acquisition": nodeReference(spot, facts, kind: "acquisitions")
      default: report(.nodeAttribute, spot, "the attribute `\(key)` is reserved")
      }
    }
  }

  /// Checks a reference.
  ///
  /// - Parameters:
  ///   - spot: The reference.
  ///   - facts: The ids of the document.
  ///   - kind: What it must lead to; nil for anything.
  private mutating func nodeReference(
    _ spot: Spot, _ facts: CollectionFacts, kind: String? = nil
  ) {
    guard let id = referenceID(spot) else { return }
    if spot["path"] != nil || spot["ref"]?["path"] != nil { return }
    guard let found = facts.ids[id] else {
      let rule: Rule = kind == nil ? .nodeReferenceKnown : .nodeWellKnown
      return report(rule, spot, "nothing here has the id \"\(id)\"")
    }
    if let kind, found != kind {
      report(.nodeWellKnown, spot, "\"\(id)\" is none of the \(kind) of the plate")
    }
  }

  /// The id in a reference of any draft; nil when there is none to look for.
  private mutating func referenceID(_ spot: Spot) -> String? {
    if let id = spot.value.stringValue {
      report(.nodeReferenceDraft, spot, "the reference is \"\(id)\", expected an object with `id`")
      return id
    }
    guard spot.value.objectValue != nil else {
      report(.nodeReference, spot, "the reference is \(spot.value.excerpt), expected an object")
      return nil
    }
    if spot["id"] == nil, let inner = spot["ref"] {
      report(.nodeReferenceDraft, spot, "the reference has `ref`, expected `id`")
      return inner.value.stringValue ?? inner["id"]?.value.stringValue
    }
    if spot["id"] == nil, spot["name"] != nil {
      report(.nodeReferenceDraft, spot, "the reference has `name`, expected `id`")
      return nil
    }
    if let path = spot["path"], path.value.objectValue == nil, path.value.stringValue == nil {
      report(.nodePath, path, "`path` is \(path.value.excerpt), expected an object")
    }
    return required("id", .string, in: spot, .nodeReference)
  }

  private mutating func nodeSystems(_ list: Spot) {
    for system in objects(list, "coordinateSystems", .nodeSystems) ?? [] {
      if system["id"] == nil {
        if system["name"]?.value.stringValue == nil {
          report(.nodeSystems, system, "`id` is missing", isMissing: true)
        } else {
          report(
            .nodeSystemsDraft, system, "`id` is missing, there is only a name", isMissing: true)
        }
      }
      optional("name", .string, in: system, .nodeSystems)
      if let list = system["axes"] {
        _ = axes(list)
      } else {
        report(.nodeSystems, system, "`axes` is missing", isMissing: true)
      }
    }
  }

  private mutating func nodeTransformations(
    _ list: Spot, _ type: String, _ facts: CollectionFacts
  ) {
    guard
      let items = objects(list, "coordinateTransformations", .nodeTransformations, mayBeEmpty: true)
    else { return }
    for item in items {
      for key in ["input", "output"] { if let end = item[key] { nodeReference(end, facts) } }
      let kind = required("type", .string, in: item, .nodeTransformations)
      if type == "singlescale", let kind { levelTransformation(item, kind) }
    }
    if type == "singlescale", items.isEmpty {
      report(.nodeLevelTransformation, list, "there is no transformation, expected a scale")
    }
  }

  private mutating func levelTransformation(_ item: Spot, _ kind: String) {
    switch kind {
    case "identity": break
    case "scale", "translation":
      if JSONShape<[Double]>.vector.value(item[kind]?.value ?? .null) == nil {
        report(.nodeLevelTransformation, item, "`\(kind)` is no list of numbers")
      }
    case "sequence":
      let steps = (item["transformations"]?.elements ?? []).map { $0["type"]?.value.stringValue }
      if steps != ["scale", "translation"] && steps != ["scale"] {
        report(
          .nodeLevelTransformation, item,
          "the sequence is \(steps.map { $0 ?? "?" }.joined(separator: ", "))")
      }
      for step in item["transformations"]?.elements ?? [] {
        if let kind = step["type"]?.value.stringValue, ["scale", "translation"].contains(kind) {
          levelTransformation(step, kind)
        }
      }
    default: report(.nodeLevelTransformation, item, "the transformation is of type \(kind)")
    }
  }

  private mutating func nodeScene(_ scene: Spot, _ facts: CollectionFacts) {
    guard scene.value.objectValue != nil else {
      return report(.nodeScene, scene, "`scene` is \(scene.value.excerpt), expected an object")
    }
    if let list = scene["coordinateSystems"] { nodeSystems(list) }
    if let list = scene["coordinateTransformations"] {
      nodeTransformations(list, "collection", facts)
    }
  }

  private mutating func nodeLabels(_ labels: Spot, _ type: String, _ facts: CollectionFacts) {
    if type != "multiscale" { report(.nodeLabelsImage, labels, "`labels` stands on a \(type)") }
    guard labels.value.objectValue != nil else {
      return report(.nodeLabels, labels, "`labels` is \(labels.value.excerpt), expected an object")
    }
    if optional("source", .array, in: labels, .nodeLabels) != nil {
      for source in labels["source"]?.elements ?? [] { nodeReference(source, facts) }
    }
    guard let list = labels["labelAttributes"] else { return }
    for entry in objects(list, "labelAttributes", .nodeLabels, mayBeEmpty: true) ?? [] {
      let value = required("labelValue", .finite, in: entry, .nodeLabelValue)
      if let value, value != value.rounded() {
        report(.nodeLabelValue, entry, "`labelValue` is \(value), expected a whole number")
      }
      for (key, spot) in entry.members {
        if key == "color" {
          if !spot.value.isColor {
            report(
              .nodeLabelColor, spot,
              "`color` is \(spot.value.excerpt), expected four numbers from 0 to 255")
          }
        } else if key != "labelValue", !key.contains(":") {
          report(.nodeLabelKey, spot, "the member `\(key)` is reserved")
        }
      }
    }
  }

  private mutating func nodePlate(_ plate: Spot) {
    guard plate.value.objectValue != nil else {
      return report(.nodePlate, plate, "`plate` is \(plate.value.excerpt), expected an object")
    }
    for key in ["rows", "columns", "acquisitions"] {
      guard let list = plate[key] else {
        if key != "acquisitions" {
          report(.nodePlate, plate, "`\(key)` is missing", isMissing: true)
        }
        continue
      }
      for line in objects(list, key, .nodePlate, mayBeEmpty: key == "acquisitions") ?? [] {
        required("id", .string, in: line, .nodePlate)
        optional("name", .string, in: line, .nodePlate)
      }
    }
  }
}
