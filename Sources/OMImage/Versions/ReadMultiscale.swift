import OMJSON

/// Entries of `multiscales` of all versions in one form, that of OME-Zarr 0.4: `axes` are objects, and
/// every dataset has a scale and perhaps a translation.
enum ReadMultiscale {
  /// An entry in the form of 0.4.
  ///
  /// - Parameters:
  ///   - entry: The entry as it was read.
  ///   - version: The version it follows.
  ///   - subject: The document.
  ///   - shapes: Finds the shapes of all levels; asked for where the metadata say nothing about the size
  ///     of voxels.
  /// - Returns: The entry; of coordinate systems only that which the levels lead to.
  /// - Throws: `metadata` or `unsupported` for what cannot be put that way, and what `shapes` throws.
  static func canonical(
    _ entry: JSONObject, _ version: OMEVersion, subject: String,
    shapes: ([String]) throws(Fault) -> [[Int]]
  ) throws(Fault) -> JSONObject {
    switch version.form {
    case .v0_1, .v0_2:
      return try withoutSizes(entry, ["t", "c", "z", "y", "x"], subject, shapes)
    case .v0_3:
      return try withoutSizes(
        entry, entry.required("axes", .strings, in: subject), subject, shapes)
    case .v0_4, .v0_5: return entry
    case .v0_6: return try withSystems(entry, subject)
    }
  }

  // MARK: - To 0.3

  /// Voxels of the finest level have the size 1.
  private static func withoutSizes(
    _ entry: JSONObject, _ axes: [String], _ subject: String,
    _ shapes: ([String]) throws(Fault) -> [[Int]]
  ) throws(Fault) -> JSONObject {
    let datasets = try entry.required("datasets", .objects, in: subject)
    let paths = try datasets.map { (dataset) throws(Fault) in
      try dataset.required("path", .string, in: subject)
    }
    let shapes = try shapes(paths)
    for (path, shape) in zip(paths, shapes) where shape.count != axes.count {
      throw Fault(
        .metadata, subject,
        "level `\(path)` has \(shape.count) dimensions, the axes are \(axes.joined(separator: ", "))"
      )
    }
    var canonical = entry
    canonical["axes"] = .array(
      axes.map { axis in
        let type = axis == "t" ? "time" : axis == "c" ? "channel" : "space"
        return ["name": .string(axis), "type": .string(type)]
      })
    canonical["coordinateTransformations"] = nil
    canonical["datasets"] = .array(
      zip(datasets, shapes).map { dataset, shape in
        let scale = zip(shapes[0], shape).map { JSON(ratio($0, $1)) }
        var dataset = dataset
        dataset["coordinateTransformations"] = [["type": "scale", "scale": .array(scale)]]
        return .object(dataset)
      })
    return canonical
  }

  /// How many voxels of the finest level one of a coarser level covers: a whole number, where halves
  /// were rounded up or down.
  private static func ratio(_ fine: Int, _ coarse: Int) -> Double {
    guard fine > 0, coarse > 0 else { return 1 }
    let exact = Double(fine) / Double(coarse)
    for factor in [Int(exact), Int(exact) + 1] where factor > 0 {
      if fine / factor == coarse || (fine + factor - 1) / factor == coarse { return Double(factor) }
    }
    return exact
  }

  // MARK: - From 0.6 on

  private static func withSystems(
    _ entry: JSONObject, _ subject: String
  ) throws(Fault) -> JSONObject {
    let systems = try entry.required("coordinateSystems", .objects, in: subject)
    let datasets = try entry.required("datasets", .objects, in: subject)
    var intrinsic: JSONObject?
    var name: String?
    var canonicalDatasets: [JSON] = []
    for dataset in datasets {
      let steps = try dataset.required("coordinateTransformations", .objects, in: subject)
      guard steps.count == 1, let step = steps.first else {
        throw Fault(
          .metadata, subject,
          "a level has \(steps.count) transformations, expected one to its coordinate system")
      }
      let output = try outputName(step, subject)
      if let name, name != output {
        throw Fault(
          .metadata, subject,
          "levels lead to the coordinate systems `\(name)` and `\(output)`, expected one")
      }
      name = output
      if intrinsic == nil {
        intrinsic = systems.first { $0["name"]?.stringValue == output }
      }
      guard let axes = intrinsic?["axes"]?.arrayValue else {
        throw Fault(
          .metadata, subject,
          "a level leads to the coordinate system `\(output)`, which is not there")
      }
      var canonical = dataset
      canonical["coordinateTransformations"] = .array(try plain(step, axes.count, subject))
      canonicalDatasets.append(.object(canonical))
    }
    var canonical = entry
    canonical["coordinateSystems"] = nil
    canonical["coordinateTransformations"] = nil
    canonical["axes"] = intrinsic?["axes"] ?? []
    canonical["datasets"] = .array(canonicalDatasets)
    return canonical
  }

  private static func outputName(_ step: JSONObject, _ subject: String) throws(Fault) -> String {
    if let name = step["output"]?.systemName { return name }
    throw Fault(
      .metadata, subject,
      "the `output` of a level's transformation has no `name`, expected that of a coordinate system"
    )
  }

  /// The transformation of a level as a scale and perhaps a translation.
  private static func plain(
    _ step: JSONObject, _ rank: Int, _ subject: String
  ) throws(Fault) -> [JSON] {
    let ones: JSON = ["type": "scale", "scale": .array(.init(repeating: JSON(1.0), count: rank))]
    let type = try step.required("type", .string, in: subject)
    switch type {
    case "identity": return [ones]
    case "scale": return [.object(item("scale", step))]
    case "sequence":
      let steps = try step.required("transformations", .objects, in: subject)
      let types = steps.map { $0["type"]?.stringValue ?? "" }
      switch types {
      case ["scale"], ["scale", "translation"]:
        return zip(types, steps).map { .object(item($0, $1)) }
      case ["translation"]: return [ones, .object(item("translation", steps[0]))]
      default:
        throw Fault(
          .metadata, subject,
          "the sequence of a level is \(types.joined(separator: ", ")), expected one scale, then one "
            + "translation")
      }
    default:
      throw Fault(
        .metadata, subject,
        "the transformation of a level is `\(type)`, expected `scale`, `identity` or a `sequence` of "
          + "scale and translation")
    }
  }

  private static func item(_ type: String, _ step: JSONObject) -> JSONObject {
    var item: JSONObject = ["type": .string(type)]
    item[type] = step[type]
    return item
  }
}

extension JSON {
  /// The name of a coordinate system at an end of a transformation, which drafts of 0.6 write without an object.
  var systemName: String? { stringValue ?? self["name"]?.stringValue }
}
