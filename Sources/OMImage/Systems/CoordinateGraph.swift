package import OMJSON

/// The coordinate systems of an image or a scene and the transformations between them, for looking at.
///
/// Nothing in it is an error: what is odd is shown as it is, without a matrix.
package struct CoordinateGraph: Sendable {
  /// A coordinate system.
  package struct System: Sendable {
    /// Its name.
    package let name: String
    /// Name, type and unit of its axes.
    package let axes: [(name: String, type: String?, unit: String?)]
    /// Where the voxels of the finest level lie in it; nil when that is not known or no matrix.
    package fileprivate(set) var fromVoxels: AffineMap?
    /// Why that is no matrix, where the one way to it leads against a transformation.
    package fileprivate(set) var obstacle: String?
  }

  /// A transformation between two systems.
  package struct Link: Sendable {
    /// The kind, and the kinds of its steps.
    package let type: String
    /// Where it leads from.
    package let input: End
    /// Where it leads to.
    package let output: End
    /// The whole as one matrix; nil when it is none.
    package let map: AffineMap?
    /// The matrix of the way back: as a bijection tells it, else worked out; nil when there is none.
    let inverse: AffineMap?
    /// The transformation as it was read.
    package let document: JSONObject
  }

  /// An end of a transformation.
  package struct End: Sendable {
    /// The system.
    package let name: String?
    /// The image that has the system; nil for the group itself.
    package let path: String?

    init(_ json: JSON?) {
      name = json?.systemName
      path = json?["path"]?.stringValue
    }
  }

  /// The systems.
  package private(set) var systems: [System]
  /// The transformations beside those of levels.
  package let links: [Link]
  /// The system that the levels lead to; nil in a scene.
  package let intrinsic: String?

  init(_ holder: JSONObject, intrinsic: String? = nil, level: AffineMap? = nil) {
    self.intrinsic = intrinsic
    let objects = { (key: String) in
      (holder[key]?.arrayValue ?? []).compactMap(\.objectValue)
    }
    var systems: [System] = []
    for system in objects("coordinateSystems") {
      let axes = (system["axes"]?.arrayValue ?? []).map { axis in
        (
          name: axis["name"]?.stringValue ?? "", type: axis["type"]?.stringValue,
          unit: axis["unit"]?.stringValue
        )
      }
      systems.append(System(name: system["name"]?.stringValue ?? "", axes: axes, fromVoxels: nil))
    }
    let ranks = Dictionary(systems.map { ($0.name, $0.axes.count) }) { first, _ in first }
    links = objects("coordinateTransformations").map { step in
      let (input, output) = (End(step["input"]), End(step["output"]))
      let rank = { (end: End) in end.path == nil ? end.name.flatMap { ranks[$0] } : nil }
      let map = AffineMap(step, inputs: rank(input), outputs: rank(output))
      let told = step["type"] == "bijection" ? step["inverse"]?.objectValue : nil
      return Link(
        type: Self.kinds(step), input: input, output: output, map: map,
        inverse: told.flatMap { AffineMap($0, inputs: rank(output), outputs: rank(input)) }
          ?? map?.inverse,
        document: step)
    }
    let reached = Self.reached(from: intrinsic, level, by: links)
    for place in systems.indices {
      let name = systems[place].name
      systems[place].fromVoxels = reached[name]
      if reached[name] == nil { systems[place].obstacle = Self.obstacle(name, reached, links) }
    }
    self.systems = systems
  }

  /// The kind of a transformation, and for one of steps theirs.
  private static func kinds(_ step: JSONObject) -> String {
    let type = step["type"]?.stringValue ?? "no type"
    guard type == "sequence" else { return type }
    let steps = (step["transformations"]?.arrayValue ?? []).map {
      $0["type"]?.stringValue ?? "no type"
    }
    return "\(type) of \(steps.joined(separator: ", "))"
  }

  /// Where voxels lie in each system that matrices lead to, the first way that is found.
  ///
  /// A way against a transformation is gone only to what no way along them leads to.
  private static func reached(
    from intrinsic: String?, _ level: AffineMap?, by links: [Link]
  ) -> [String: AffineMap] {
    guard let intrinsic, let level else { return [:] }
    var reached = [intrinsic: level]
    let own = links.filter { $0.input.path == nil && $0.output.path == nil }
    let along = Dictionary(grouping: own) { $0.input.name }
    let against = Dictionary(grouping: own) { $0.output.name }
    var open = [intrinsic]
    var turned: [String] = []
    let take = { (name: String, other: String?, map: AffineMap?) in
      guard let other, reached[other] == nil, let map = map.flatMap({ reached[name]?.then($0) })
      else { return }
      reached[other] = map
      open.append(other)
    }
    while true {
      if let name = open.popLast() {
        for link in along[name] ?? [] { take(name, link.output.name, link.map) }
        turned.append(name)
      } else if let name = turned.popLast() {
        for link in against[name] ?? [] { take(name, link.input.name, link.inverse) }
      } else {
        return reached
      }
    }
  }

  /// What lies between a system and those that are reached, where only a way back would lead to it.
  private static func obstacle(
    _ name: String, _ reached: [String: AffineMap], _ links: [Link]
  ) -> String? {
    let link = links.first { link in
      link.input.name == name && link.input.path == nil && link.output.path == nil
        && link.output.name.map { reached[$0] != nil } ?? false
    }
    guard let link else { return nil }
    return link.map == nil
      ? "the \(link.type) to \(link.output.name ?? "") is no matrix"
      : "the \(link.type) to \(link.output.name ?? "") has no inverse"
  }
}

extension OMEImage {
  /// Its coordinate systems; nil before 0.6, where axes are all there is.
  package var coordinates: CoordinateGraph? {
    guard document["coordinateSystems"] != nil else { return nil }
    let first = document["datasets"]?.arrayValue?.first?["coordinateTransformations"]?.arrayValue
    return CoordinateGraph(
      document, intrinsic: first?.first?["output"]?.systemName,
      level: levels.first.map { AffineMap(scale: $0.scale, translation: $0.translation) })
  }
}
