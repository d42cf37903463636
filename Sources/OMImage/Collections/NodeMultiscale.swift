import OMJSON
import OMStore
import OMZarr

/// An image whose metadata are a node of RFC-8, in the form of OME-Zarr 0.6.
///
/// The nodes in it are its levels. What references name by id in RFC-8 has a name in 0.6.
struct NodeMultiscale {
  /// The node.
  let node: CollectionNode
  private let json: JSONObject
  private let group: OMEGroup

  /// Takes the metadata of a group; nil when they are no node.
  ///
  /// - Throws: `metadata` for a node that is no image here.
  init?(_ group: OMEGroup) throws(Fault) {
    guard group.isNode else { return nil }
    node = try CollectionNode(group.keys, subject: group.subject)
    json = group.keys
    self.group = group
    if node.kind != .multiscale || node.nodes == nil {
      throw Fault(
        .metadata, group.subject,
        "the node `\(node.name)` is no image with levels", hint: "`omtask info` tells what it is")
    }
  }

  /// The entry of `multiscales` that says the same in OME-Zarr 0.6.
  ///
  /// - Parameter store: Where the levels are, which may tell their transformations themselves.
  /// - Returns: The entry; its datasets are the levels.
  /// - Throws: `metadata` or `unsupported` for a node that says it in no known way, and what reading gives.
  func entry(_ store: any Store) throws(Fault) -> JSONObject {
    let subject = group.subject
    var systems: [JSONObject] = []
    for system in try node.attributes.required("coordinateSystems", .objects, in: subject) {
      var named = system
      guard let name = system["name"]?.stringValue ?? system["id"]?.stringValue else {
        throw Fault(.metadata, subject, "a coordinate system has neither `id` nor `name`")
      }
      named["name"] = .string(name)
      systems.append(named)
    }
    var datasets: [JSON] = []
    for child in node.nodes ?? [] {
      let level = try CollectionNode(child, subject: subject)
      // What has a type of its own is no level.
      if level.kind == .other { continue }
      datasets.append(.object(try dataset(level, systems, store)))
    }
    return [
      "name": .string(node.name), "coordinateSystems": .array(systems.map { .object($0) }),
      "datasets": .array(datasets),
    ]
  }

  private func dataset(
    _ level: CollectionNode, _ systems: [JSONObject], _ store: any Store
  ) throws(Fault) -> JSONObject {
    let subject = group.subject
    guard level.kind == .singlescale, let target = level.target, target.kind == "zarr" else {
      throw Fault(
        .unsupported, subject,
        "`\(level.name)` is no `singlescale` with a path to a Zarr array, expected the levels of the image"
      )
    }
    let parts = target.path.split(separator: "/").filter { $0 != "." }
    let path = try checkedKey(
      target.path.hasPrefix("/") ? target.path : parts.joined(separator: "/"), subject: subject)
    var list = level.attributes
    var place = subject
    if list["coordinateTransformations"] == nil {
      // A draft leaves them to the document of the level.
      let array = joinedKey(group.path, path)
      place = joinedKey(array, "zarr.json")
      let own = try ArrayMetadata.read(store, path: array).attributes["ome"]?.objectValue
      list = own?["attributes"]?.objectValue ?? own ?? JSONObject()
    }
    let steps = try list.required("coordinateTransformations", .objects, in: place)
    guard let last = steps.last else {
      throw Fault(.metadata, place, "`coordinateTransformations` of `\(level.name)` is empty")
    }
    var step = last
    if steps.count > 1 {
      step = ["type": "sequence", "transformations": .array(steps.map { .object($0) })]
    }
    step["input"] = ["path": .string(path)]
    step["output"] = ["name": .string(try system(last["output"], systems, level.name))]
    return [
      "path": .string(path), "coordinateTransformations": [.object(step)],
    ]
  }

  /// The name of the coordinate system that a transformation leads to.
  private func system(
    _ output: JSON?, _ systems: [JSONObject], _ level: String
  ) throws(Fault) -> String {
    let id = output?.referencedID ?? output?["name"]?.stringValue
    let found =
      id == nil && systems.count == 1
      ? systems.first
      : systems.first { $0["id"]?.stringValue == id }
        ?? systems.first { $0["name"]?.stringValue == id }
    guard let name = found?["name"]?.stringValue else {
      throw Fault(
        .metadata, group.subject,
        "`\(level)` leads to the coordinate system `\(id ?? "")`, which is not there")
    }
    return name
  }
}
