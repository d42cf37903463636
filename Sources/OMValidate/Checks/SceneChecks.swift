import OMJSON

extension Inspector {
  /// Checks `scene`.
  ///
  /// - Returns: The systems of other groups that it names.
  mutating func scene(_ scene: Spot) -> [SystemReference] {
    guard scene.value.objectValue != nil else {
      report(.sceneObject, scene, "`scene` is \(scene.value.excerpt), expected an object")
      return []
    }
    var systems = SystemFacts()
    if let list = scene["coordinateSystems"] {
      systems = coordinateSystems(list, mayBeEmpty: true)
      unique(list.elements, "`coordinateSystems`", .systemsUnique)
    }
    guard
      let items = requiredObjects(
        "coordinateTransformations", in: scene, .sceneTransformations)
    else { return [] }
    var links: [(String, String)] = []
    var foreign: [SystemReference] = []
    for item in items {
      let ends = ["input", "output"].map { sceneEnd($0, in: item, systems) }
      let ranks = ends.map { end in end.flatMap { $0.path.isEmpty ? systems.rank($0.name) : nil } }
      kind(item, input: ranks[0], output: ranks[1])
      foreign += ends.compactMap { $0 }.filter { !$0.path.isEmpty }
      if let input = ends[0], let output = ends[1] {
        links.append((node(input), node(output)))
      }
    }
    var names: [String] = systems.names.map { "\"\($0)\"" }
    var known = Set(names)
    for (one, other) in links {
      names += [one, other].filter { known.insert($0).inserted }
    }
    connected(names, by: links, scene)
    return foreign
  }

  /// The node of the graph: all systems of another image are one, since that image connects them.
  private func node(_ reference: SystemReference) -> String {
    reference.path.isEmpty ? "\"\(reference.name)\"" : "the image \(reference.path)"
  }

  private mutating func sceneEnd(
    _ key: String, in item: Spot, _ systems: SystemFacts
  ) -> SystemReference? {
    for (name, spot) in item[key]?.members ?? [] where !["name", "path"].contains(name) {
      report(.sceneEnds, spot, "`\(key)` has `\(name)`, expected only `name` and `path`")
    }
    return reference(key, in: item, .sceneEnds, systems)
  }

  /// Checks coordinate systems and transformations that stand alone, as examples print them.
  mutating func fragment(_ root: Spot) {
    var systems = SystemFacts()
    if let list = root["coordinateSystems"] {
      systems = coordinateSystems(list, mayBeEmpty: true)
    }
    guard let list = root["coordinateTransformations"] else { return }
    for item in objects(list, "coordinateTransformations", .imageTransformations) ?? [] {
      let ends = ["input", "output"].map { key -> SystemReference? in
        item[key] == nil ? nil : reference(key, in: item, .referenceShape, systems)
      }
      kind(item, input: systems.rank(ends[0]?.name), output: systems.rank(ends[1]?.name))
    }
  }
}
