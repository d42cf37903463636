import OMImage
import OMJSON

/// What `omtask info` tells about coordinate systems and the transformations between them.
struct CoordinateFacts {
  let coordinates: CoordinateGraph

  /// How many systems and transformations are named one by one.
  private static var named: Int { 20 }

  var lines: [String] {
    limited(
      coordinates.systems.map { system in
        let axes = system.axes.map { axis in axis.name + (axis.unit.map { " \($0)" } ?? "") }
        var text = "  system    \(system.name)"
        if system.name == coordinates.intrinsic { text += " (of the levels)" }
        text += ": \(axes.joined(separator: ", "))"
        if system.name == coordinates.intrinsic { return [text] }
        if let map = system.fromVoxels {
          return [text, "            voxels of level 0 by \(map.text)"]
        }
        return [text] + (system.obstacle.map { ["            not known for voxels: \($0)"] } ?? [])
      })
      + limited(
        coordinates.links.map { link in
          ["  transform \(link.input.text) to \(link.output.text): \(link.text)"]
        })
  }

  private func limited(_ entries: [[String]]) -> [String] {
    let more = entries.count - Self.named
    return entries.prefix(Self.named).flatMap(\.self)
      + (more > 0 ? ["            and \(more) more, `--json` lists them"] : [])
  }

  /// The members of an answer in JSON.
  var members: [(key: String, value: JSON)] {
    [
      ("coordinate_systems", .array(coordinates.systems.map(systemJSON))),
      (
        "transformations",
        .array(
          coordinates.links.map { link in
            var document = link.document
            if let map = link.map { document["matrix"] = map.json }
            return .object(document)
          })
      ),
    ]
  }

  private func systemJSON(_ system: CoordinateGraph.System) -> JSON {
    let axes = system.axes.map { axis -> JSON in
      var members: JSONObject = ["name": .string(axis.name)]
      members["type"] = axis.type.map(JSON.string)
      members["unit"] = axis.unit.map(JSON.string)
      return .object(members)
    }
    var members: JSONObject = ["name": .string(system.name), "axes": .array(axes)]
    if let intrinsic = coordinates.intrinsic {
      members["of_levels"] = .bool(system.name == intrinsic)
    }
    members["matrix"] = system.fromVoxels?.json
    members["obstacle"] = system.obstacle.map(JSON.string)
    return .object(members)
  }
}

/// What `omtask info` tells about a scene.
struct SceneAnswer: Answer {
  let scene: SceneGroup

  private var facts: CoordinateFacts { CoordinateFacts(coordinates: scene.coordinates) }

  var lines: [String] {
    let images = scene.images.prefix(100).map { "  image     \($0)" }
    let more = scene.images.count - images.count
    return [
      "\(scene.location.displayName): OME-Zarr \(scene.version) scene of "
        + counted(scene.images.count, "image")
    ] + images + (more > 0 ? ["            and \(more) more, `--json` lists them"] : [])
      + facts.lines + scene.warnings.map { "  note      \($0)" }
  }

  var json: JSON {
    var document: JSONObject = [
      "kind": "scene", "uri": .string(scene.location.displayName),
      "version": .string(scene.version), "images": .array(scene.images.map(JSON.string)),
    ]
    for (key, value) in facts.members { document[key] = value }
    document["notes"] = .array(scene.warnings.map(JSON.string))
    return .object(document)
  }
}

extension CoordinateGraph.End {
  fileprivate var text: String {
    let system = name ?? "no system"
    return path.map { "\(system) of `\($0)`" } ?? system
  }
}

extension CoordinateGraph.Link {
  fileprivate var text: String {
    guard let map else { return "\(type), as it is written" }
    return type == "identity" ? type : "\(type), which is \(map.text)"
  }
}

extension AffineMap {
  fileprivate var json: JSON { .array(rows.map { .array($0.map { JSON($0) }) }) }

  /// The scale and translation, or the rows of the matrix.
  fileprivate var text: String {
    let list = { (numbers: [Double]) in numbers.map(numberText).joined(separator: ", ") }
    guard let (scale, translation) = diagonal else {
      return "the matrix [\(rows.map(list).joined(separator: "; "))]"
    }
    let isMoved = translation.contains { $0 != 0 }
    let isScaled = scale.contains { $0 != 1 }
    if !isMoved { return "scale \(list(scale))" }
    return (isScaled ? "scale \(list(scale)), " : "") + "translation \(list(translation))"
  }
}
