import OMJSON

/// A document of RFC-8 as far as it could be read.
struct CollectionFacts: Sendable {
  /// A path of a node that leads to another document.
  struct Target: Sendable {
    /// The type of the node.
    let type: String
    /// `zarr` or `json`; nil where a draft leaves it open.
    let kind: String?
    /// The path as it is written.
    let path: String
    /// Whether the node is a label image.
    let isLabel: Bool
    let spot: Spot
  }

  /// The type of the root.
  var type: String?
  /// Where its nodes lie that are not in the document.
  var targets: [Target] = []
  /// The things that have an `id`: `node`, `system`, `rows`, `columns` or `acquisitions`.
  var ids: [String: String] = [:]
  /// The version of the root.
  var version: String?
}

extension Inspector {
  /// Checks a document of RFC-8.
  mutating func collection(_ root: Spot) -> CollectionFacts {
    var facts = CollectionFacts()
    facts.type = root["type"]?.value.stringValue
    rootVersion(root, &facts)
    // References may point ahead, so all ids are known first.
    collectIDs(of: root, &facts)
    node(root, parent: nil, &facts)
    return facts
  }

  private mutating func rootVersion(_ root: Spot, _ facts: inout CollectionFacts) {
    guard let text = required("version", .string, in: root, .nodeVersion),
      let spot = root["version"]
    else { return }
    facts.version = text
    let written = WrittenVersion(text)
    if written.version == nil && !text.hasPrefix("0.9") && !text.hasPrefix("1.") {
      report(.versionKnown, spot, "`version` is \"\(text)\", which was never published")
    } else if let version = written.version, version < .v0_9 {
      report(
        .nodeVersion, spot, "`version` is \"\(text)\", nodes exist from 0.9.dev3 on")
    } else if written.isDraft {
      report(.versionDraft, spot, "`version` is \"\(text)\", a draft of 0.9.dev3")
    }
  }

  /// Finds everything that has an id: nodes, coordinate systems, rows, columns, acquisitions.
  private mutating func collectIDs(of node: Spot, _ facts: inout CollectionFacts) {
    note(node, as: "node", &facts)
    let attributes = node["attributes"]
    for holder in [attributes, attributes?["scene"]] {
      for system in holder?["coordinateSystems"]?.elements ?? [] {
        note(system, as: "system", &facts)
      }
    }
    for key in ["rows", "columns", "acquisitions"] {
      for line in attributes?["plate"]?[key]?.elements ?? [] { note(line, as: key, &facts) }
    }
    for child in node["nodes"]?.elements ?? [] { collectIDs(of: child, &facts) }
  }

  private mutating func note(_ holder: Spot, as kind: String, _ facts: inout CollectionFacts) {
    guard let spot = holder["id"] else { return }
    guard let id = spot.value.stringValue else {
      return report(.nodeID, spot, "`id` is \(spot.value.excerpt), expected a string")
    }
    let plain = id.filter { !["-", "_", "."].contains($0) }
    if id.isEmpty || !plain.isEmpty && !plain.isAlphanumeric {
      report(.nodeID, spot, "`id` is \"\(id)\"")
    }
    if facts.ids.updateValue(kind, forKey: id) != nil {
      report(.nodeIDUnique, spot, "the id \"\(id)\" stands twice")
    }
  }

  private mutating func node(_ node: Spot, parent: String?, _ facts: inout CollectionFacts) {
    let type = required("type", .string, in: node, .nodeType)
    if required("name", .string, in: node, .nodeName) == "" {
      report(.nodeName, node, "the name of a node is empty")
    }
    if parent != nil { childVersion(node, facts) }
    let isOwn = ["collection", "multiscale", "singlescale"].contains(type)
    if let type, !isOwn, !type.contains(":"), let spot = node["type"] {
      report(.nodeTypeKnown, spot, "the type is \"\(type)\", which is reserved")
    }
    if parent == "multiscale", let type, type != "singlescale", isOwn {
      report(.nodeLevels, node, "a \(type) lies in a multiscale")
    }
    guard let type, isOwn else { return }
    content(node, type, &facts)
    if optional("attributes", .object, in: node, .nodeAttributes) != nil,
      let attributes = node["attributes"]
    {
      nodeAttributes(attributes, type, facts)
    }
    levels(node, type)
    guard let list = node["nodes"],
      let nodes = objects(list, "nodes", .nodeList, mayBeEmpty: true)
    else { return }
    let names = nodes.compactMap { node in
      node["name"]?.value.stringValue.map { ($0, node) }
    }
    uniqueTexts(names, "the name", .nodeNameUnique)
    for child in nodes { self.node(child, parent: type, &facts) }
  }

  private mutating func childVersion(_ node: Spot, _ facts: CollectionFacts) {
    guard let spot = node["version"] else { return }
    if spot.value.stringValue == facts.version {
      report(.nodeVersionOnce, spot, "the node has a `version`, as the root")
    } else {
      report(
        .nodeVersionChild, spot,
        "`version` is \(spot.value.excerpt), that of the root \"\(facts.version ?? "")\"")
    }
  }

  private mutating func content(_ node: Spot, _ type: String, _ facts: inout CollectionFacts) {
    let keys = ["nodes", "path"].filter { node[$0] != nil }
    if keys.count != 1 || type == "singlescale" && keys != ["path"] {
      report(
        .nodeContent, node,
        "a \(type) has \(keys.isEmpty ? "neither `nodes` nor `path`" : keys.joined(separator: " and "))",
        isMissing: keys.isEmpty)
    }
    guard let spot = node["path"] else { return }
    let isLabel = node["attributes"]?["labels"] != nil
    if let target = target(spot, type, isLabel: isLabel), type != "singlescale" {
      facts.targets.append(target)
    }
  }

  /// Checks a path; nil when there is nothing to follow.
  private mutating func target(
    _ spot: Spot, _ type: String, isLabel: Bool
  ) -> CollectionFacts.Target? {
    if let path = spot.value.stringValue {
      report(.nodePathDraft, spot, "the path is \"\(path)\", expected an object")
      return .init(type: type, kind: nil, path: path, isLabel: isLabel, spot: spot)
    }
    guard spot.value.objectValue != nil else {
      report(.nodePath, spot, "`path` is \(spot.value.excerpt), expected an object")
      return nil
    }
    let kind = required("type", .string, in: spot, .nodePath)
    let path = required("path", .string, in: spot, .nodePath)
    if path == "" { report(.nodePath, spot, "the path is empty") }
    guard let kind, let path, !path.isEmpty else { return nil }
    if ["zarr", "json"].contains(kind) {
      return .init(type: type, kind: kind, path: path, isLabel: isLabel, spot: spot)
    }
    if !kind.contains(":") { report(.nodePathType, spot, "the type of the path is \"\(kind)\"") }
    return nil
  }

  /// Checks what a multiscale with nodes and a singlescale must say.
  private mutating func levels(_ node: Spot, _ type: String) {
    let attributes = node["attributes"]
    if type == "multiscale", node["nodes"] != nil, attributes?["coordinateSystems"] == nil {
      report(
        .nodeSystems, attributes ?? node, "`coordinateSystems` is missing", isMissing: true)
    }
    if type == "singlescale", attributes?["coordinateTransformations"] == nil {
      report(
        .nodeLevelTransformationPresent, attributes ?? node,
        "`coordinateTransformations` is missing", isMissing: true)
    }
  }
}
