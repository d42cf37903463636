import OMJSON

/// Entries of `multiscales` in the form of a version, made of that of OME-Zarr 0.4.
enum WrittenMultiscale {
  /// The entry as a version has it.
  ///
  /// - Parameters:
  ///   - canonical: The entry in the form of 0.4.
  ///   - version: The version to write.
  ///   - model: The entry of the image that it was made of.
  ///   - keepsSystems: Whether the coordinate systems of that image are taken over, where the axes are
  ///     the same; otherwise only the name of the one that its levels lead to is.
  /// - Returns: The entry. Versions that know no sizes of voxels get none.
  static func entry(
    _ canonical: JSONObject, _ version: OMEVersion, like model: JSONObject, keepsSystems: Bool
  ) -> JSONObject {
    var entry = canonical
    let axes = canonical["axes"]?.arrayValue ?? []
    switch version.form {
    case .v0_1, .v0_2, .v0_3:
      entry["axes"] =
        version.hasFixedAxes ? nil : .array(axes.map { $0["name"] ?? .null })
      entry["coordinateTransformations"] = nil
      entry["datasets"] = .array(
        (canonical["datasets"]?.arrayValue ?? []).map {
          var dataset = $0.objectValue ?? JSONObject()
          dataset["coordinateTransformations"] = nil
          return .object(dataset)
        })
      return entry
    case .v0_4, .v0_5: return entry
    case .v0_6:
      let known = SystemGraph(model)
      let asText = version.release != nil && known?.namesEndsByText == true
      return withSystems(canonical, axes, known, keepsSystems, endsAsText: asText)
    }
  }

  /// The dataset of a level in the form that an entry has.
  ///
  /// - Parameters:
  ///   - dataset: The dataset in the form of 0.4.
  ///   - entry: The entry it goes into.
  /// - Returns: The dataset.
  static func dataset(_ dataset: JSONObject, into entry: JSONObject) -> JSONObject {
    var dataset = dataset
    if entry["coordinateSystems"] != nil {
      let first = entry["datasets"]?.arrayValue?.first
      let known = first?["coordinateTransformations"]?.arrayValue?.first?["output"]
      wrap(
        &dataset, output: known?.systemName ?? intrinsic, asText: known?.stringValue != nil)
    } else if entry["axes"]?.arrayValue?.first?.objectValue == nil {
      dataset["coordinateTransformations"] = nil
    }
    return dataset
  }

  /// The name of the coordinate system of an image that had none with a name.
  private static let intrinsic = "physical"

  private static func withSystems(
    _ canonical: JSONObject, _ axes: [JSON], _ known: SystemGraph?, _ keepsSystems: Bool,
    endsAsText: Bool
  ) -> JSONObject {
    let name = known?.intrinsic ?? intrinsic
    var systems: [JSON] = [["name": .string(name), "axes": .array(axes)]]
    var others: [JSON] = []
    if keepsSystems, let known, known.axes == axes { (systems, others) = known.portable() }
    let outer = canonical["coordinateTransformations"]?.arrayValue ?? []
    var entry = JSONObject()
    for (key, value) in canonical.members where key != "version" {
      switch key {
      case "axes": entry["coordinateSystems"] = .array(systems)
      case "coordinateTransformations": break
      case "datasets":
        entry[key] = .array(
          (value.arrayValue ?? []).map {
            var dataset = $0.objectValue ?? JSONObject()
            let inner = dataset["coordinateTransformations"]?.arrayValue ?? []
            dataset["coordinateTransformations"] = .array(composed(inner, outer, axes.count))
            wrap(&dataset, output: name, asText: endsAsText)
            return .object(dataset)
          })
      default: entry[key] = value
      }
    }
    if !others.isEmpty { entry["coordinateTransformations"] = .array(others) }
    return entry
  }

  /// One transformation from an array to a coordinate system, in place of a scale and a translation.
  ///
  /// The ends are objects, or texts as in drafts of 0.6.
  private static func wrap(_ dataset: inout JSONObject, output: String, asText: Bool) {
    let steps = dataset["coordinateTransformations"]?.arrayValue ?? []
    let path = dataset["path"] ?? .null
    let ends: [(key: String, value: JSON)] = [
      ("input", asText ? path : ["path": path]),
      ("output", asText ? .string(output) : ["name": .string(output)]),
    ]
    var step = steps.first?.objectValue ?? JSONObject()
    if steps.count > 1 {
      step = ["type": "sequence", "transformations": .array(steps)]
    }
    for (key, value) in ends { step[key] = value }
    dataset["coordinateTransformations"] = [.object(step)]
  }

  /// What two lists do one after the other; the texts of numbers stay where the second does nothing.
  private static func composed(_ inner: [JSON], _ outer: [JSON], _ rank: Int) -> [JSON] {
    if outer.isEmpty { return inner }
    func vector(_ key: String, _ list: [JSON], _ usual: Double) -> [Double] {
      let found = list.first { $0["type"]?.stringValue == key }?[key]?.arrayValue
      return found?.map { $0.doubleValue ?? usual } ?? .init(repeating: usual, count: rank)
    }
    let (innerScale, outerScale) = (vector("scale", inner, 1), vector("scale", outer, 1))
    let (innerShift, outerShift) = (
      vector("translation", inner, 0), vector("translation", outer, 0)
    )
    let scale = zip(innerScale, outerScale).map { $0 * $1 }
    let shift = zip(zip(innerShift, outerScale).map { $0 * $1 }, outerShift).map { $0 + $1 }
    var list: [JSON] = [["type": "scale", "scale": .array(scale.map { JSON($0) })]]
    if shift.contains(where: { $0 != 0 }) {
      list.append(["type": "translation", "translation": .array(shift.map { JSON($0) })])
    }
    return list
  }
}

/// The coordinate systems of an image and the transformations between them.
private struct SystemGraph {
  /// The name of the system that the levels lead to.
  let intrinsic: String
  /// Its axes.
  let axes: [JSON]
  /// Whether transformations name their ends by texts, as in drafts of 0.6.
  let namesEndsByText: Bool
  private let systems: [JSON]
  private let transformations: [JSON]

  init?(_ entry: JSONObject) {
    let first = entry["datasets"]?.arrayValue?.first
    guard let systems = entry["coordinateSystems"]?.arrayValue,
      let output = first?["coordinateTransformations"]?.arrayValue?.first?["output"],
      let name = output.systemName,
      let axes = systems.first(where: { $0["name"]?.stringValue == name })?["axes"]?.arrayValue
    else { return nil }
    intrinsic = name
    namesEndsByText = output.stringValue != nil
    self.axes = axes
    self.systems = systems
    transformations = entry["coordinateTransformations"]?.arrayValue ?? []
  }

  /// What means the same in another image: transformations that refer to no file, and the systems that
  /// they connect.
  func portable() -> (systems: [JSON], transformations: [JSON]) {
    var kept: [JSON] = []
    var reached: Set<String> = [intrinsic]
    var open = transformations.filter { !Self.hasPath($0) }
    var grows = true
    while grows {
      grows = false
      for (place, step) in open.enumerated().reversed() {
        let ends = ["input", "output"].compactMap { step[$0]?.systemName }
        if ends.count == 2, ends.contains(where: reached.contains) {
          reached.formUnion(ends)
          kept.append(step)
          open.remove(at: place)
          grows = true
        }
      }
    }
    let order = transformations.filter(kept.contains)
    return (systems.filter { reached.contains($0["name"]?.stringValue ?? "") }, order)
  }

  private static func hasPath(_ json: JSON) -> Bool {
    if let list = json.arrayValue { return list.contains(where: hasPath) }
    guard let members = json.objectValue?.members else { return false }
    return members.contains { $0.key == "path" && $0.value != .null || hasPath($0.value) }
  }
}
