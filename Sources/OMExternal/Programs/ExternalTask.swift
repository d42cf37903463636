import OMGrid
import OMJSON
import OMManifest
import OMTask

/// A program bound to its parameters: what its manifest declares, as recipes.
struct ExternalTask: ImageTask {
  let manifest: Manifest
  let traits: ProgramTraits
  let parameters: Parameters
  let pool: ChildPool
  let start: @Sendable (Int) throws(Fault) -> RegionChild.Start

  func product(for image: ImageInfo) throws(Fault) -> Product {
    try checkAxes(image)
    guard let output = manifest.traits.outputs.first else {
      throw Fault(.internal, "", "the manifest of \(manifest.identifier) declares no output")
    }
    if let traits = output.partials { return .partials(try partials(image, output, traits)) }
    return output.kind == "label"
      ? .labels([try label(image, output)]) : .image(try derived(image, output))
  }

  private func checkAxes(_ image: ImageInfo) throws(Fault) {
    let (needed, known) = (
      manifest.traits.requiredAxes, manifest.traits.requiredAxes + manifest.traits.optionalAxes
    )
    let missing = needed.filter { !image.axes.contains($0) }
    let stray = image.axes.filter { !known.contains($0) }
    if missing.isEmpty && stray.isEmpty { return }
    throw Fault(
      .unsupported, "",
      "the image has the axes \(image.axes.joined(separator: ", ")), "
        + "\(manifest.identifier) takes \(known.joined(separator: ", "))"
        + (missing.isEmpty ? "" : " and needs \(missing.joined(separator: ", "))"))
  }

  private func derived(
    _ image: ImageInfo, _ output: TaskTraits.Output
  ) throws(Fault) -> ImageRecipe {
    let types = output.dataTypes
    let type =
      types.contains(image.dataType.rawValue)
      ? image.dataType : types.first.flatMap(DataType.init(rawValue:)) ?? image.dataType
    let kernels = try (0..<image.channelCount).map { (channel) throws(Fault) in
      try kernel(image, channel, 0, type)
    }
    return ImageRecipe(
      suffix: try text("suffix") ?? output.name, making: .tiles { kernels[$0] }, dataType: type,
      downsampling: try downsampling ?? .mean)
  }

  private func label(_ image: ImageInfo, _ output: TaskTraits.Output) throws(Fault) -> LabelRecipe {
    let level = try level(of: image)
    let channel = try channel(of: image, "labels are made", "--label-name")
    let type = output.dataTypes.count == 1 ? LabelType(rawValue: output.dataTypes[0]) : nil
    return LabelRecipe(
      name: try text("label_name") ?? output.name, channel: channel, level: level,
      tiles: TileLabels(
        kernel: try overlapping(kernel(image, channel, level, .uint32)), seam: traits.seam),
      dataType: type, downsampling: try downsampling ?? .mode)
  }

  private func partials(
    _ image: ImageInfo, _ output: TaskTraits.Output, _ traits: PartialTraits
  ) throws(Fault) -> PartialRecipe {
    let level = try level(of: image)
    let channel = try channel(of: image, "a table is made", "--table-name")
    var backend = TableBackend.anndata
    if let text = try text("backend") {
      guard let known = TableBackend(rawValue: text) else {
        let all = TableBackend.allCases.map(\.rawValue).joined(separator: ", ")
        throw Fault(.usage, "", "`backend` is `\(text)`, known are \(all)")
      }
      backend = known
    }
    return PartialRecipe(
      name: try text("table_name") ?? output.name, backend: backend, traits: traits,
      label: try traits.label.map { (label) throws(Fault) in try text("label") ?? label },
      channel: channel, level: level,
      finder: ExternalFinder(
        kernel: try kernel(image, channel, level, nil),
        reader: PartialReader(traits, program: manifest.identifier)))
  }

  /// The level to read.
  private func level(of image: ImageInfo) throws(Fault) -> Int {
    let level = try number("level") ?? 0
    if image.levelShapes.indices.contains(level) { return level }
    throw Fault(
      .usage, "", "`level` is \(level), the image has levels 0 to \(image.levelShapes.count - 1)")
  }

  /// The channel to read.
  private func channel(
    of image: ImageInfo, _ deed: String, _ flag: String
  ) throws(Fault) -> Int {
    let wanted = try text("channel").map { [$0] }
    let channels = try image.channels(named: wanted, skippingMissing: false, allowingMany: false)
    if channels.count == 1, let channel = channels.first { return channel }
    throw Fault(
      .usage, "", "`channel` names \(channels.count) channels, \(deed) of one",
      hint: "one call for each channel, with its own `\(flag)`")
  }

  /// Refuses objects that are compared in halos where there is none.
  private func overlapping(_ kernel: ExternalKernel) throws(Fault) -> ExternalKernel {
    if traits.seam != .overlapping { return kernel }
    let halo = kernel.halo
    for (axis, width) in [("z", kernel.hasDepth ? halo.z : 1), ("y", halo.y), ("x", halo.x)]
    where width == 0 {
      throw Fault(
        .usage, "",
        "`stitch` is `overlap`, and the halo along \(axis) is 0: regions have nothing in common there",
        hint: "the manifest must have a `halo` along \(axis) of about the width of an object")
    }
    return kernel
  }

  private func kernel(
    _ image: ImageInfo, _ channel: Int, _ level: Int, _ made: DataType?
  ) throws(Fault) -> ExternalKernel {
    var halo: [String: Int] = [:]
    for (axis, size) in traits.halo { halo[axis] = try size.voxels(parameters) }
    let hasDepth = image.axis("z") != nil
    var kernel = ExternalKernel(
      halo: Vector3(hasDepth ? halo["z"] ?? 0 : 0, halo["y"] ?? 0, halo["x"] ?? 0),
      reach: traits.reach == .any ? .any : traits.reach == .plane ? .plane : .volume,
      hasDepth: hasDepth, image: RegionProtocol.image(image, channel: channel, level: level),
      bytesPerVoxel: image.dataType.byteCount + (made?.byteCount ?? 0) + traits.memoryPerVoxel,
      pool: pool, start: start)
    kernel.numbersPlanes = manifest.traits.outputs.first?.kind == "label"
    return kernel
  }

  // MARK: - Parameters that the engine itself knows

  /// How coarser levels are made, when the task lets users choose.
  private var downsampling: Downsampling? {
    get throws(Fault) {
      guard let text = try text("pyramid") else { return nil }
      if let method = Downsampling(rawValue: text) { return method }
      let known = Downsampling.allCases.map(\.rawValue).joined(separator: ", ")
      throw Fault(.usage, "", "`pyramid` is `\(text)`, known are \(known)")
    }
  }

  /// The value of a parameter as a text; nil when it is not declared or has none.
  private func text(_ name: String) throws(Fault) -> String? {
    guard let value = parameters.values[name], value != .null else { return nil }
    return value.stringValue ?? value.text()
  }

  private func number(_ name: String) throws(Fault) -> Int? {
    guard let text = try text(name) else { return nil }
    guard let number = Int(text) else {
      throw Fault(.usage, "", "`\(name)` is `\(text)`, expected a whole number")
    }
    return number
  }
}

extension ProgramTraits {
  /// What makes objects of neighbouring regions one.
  fileprivate var seam: TileSeam {
    switch stitch {
    case .none: .none
    case .touch: .touching(.faces)
    case .overlap: .overlapping
    }
  }
}
