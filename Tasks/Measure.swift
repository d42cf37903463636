import OMGrid
public import OMJSON
public import OMManifest
public import OMTask

/// `measure`: a table of what the objects of a label image are like.
public struct MeasureTask: RegionTask {
  private let parameters: MeasureParameters
  private let groups: [FeatureGroup]
  /// Ascending, each once.
  private let quantiles: [Double]

  /// Features that are asked for together.
  private enum FeatureGroup: String, CaseIterable {
    case shape, axes
    case euler = "euler_number"
    case perimeter, intensity, weighted, distribution

    /// Whether the voxels of the image are needed.
    var readsVoxels: Bool {
      switch self {
      case .shape, .axes, .euler, .perimeter: false
      case .intensity, .weighted, .distribution: true
      }
    }
  }

  /// Binds the task.
  public init(_ bound: Parameters) throws(Fault) {
    parameters = try MeasureParameters(bound)
    var groups: [FeatureGroup] = []
    for name in parameters.features {
      guard let group = FeatureGroup(rawValue: name) else {
        let known = FeatureGroup.allCases.map(\.rawValue)
        throw Fault(
          .usage, "", "`features` names `\(name)`, known are \(known.joined(separator: ", "))",
          hint: nearestName(name, in: known).map { "did you mean `\($0)`?" })
      }
      if !groups.contains(group) { groups.append(group) }
    }
    if groups.isEmpty {
      throw Fault(.usage, "", "`features` is empty, so there is nothing to measure")
    }
    // The order of columns is always the same.
    self.groups = FeatureGroup.allCases.filter(groups.contains)
    quantiles = Set(parameters.quantiles ?? []).sorted()
  }

  /// One feature table.
  public func product(for image: ImageInfo) throws(Fault) -> Product {
    let readsVoxels = groups.contains { $0.readsVoxels } || !quantiles.isEmpty
    let counted =
      (groups.contains(.distribution) ? ["`distribution` in `features`"] : [])
      + (quantiles.isEmpty ? [] : ["`quantiles`"])
    if !counted.isEmpty && !SumsNeed.isNarrow(image.dataType) {
      throw Fault(
        .unsupported, "",
        "\(counted.joined(separator: " and ")) needs integers of at most 16 bits; the voxels are "
          + "of type \(image.dataType.rawValue)",
        hint: "leave out \(counted.joined(separator: " and "))")
    }
    let channels = try image.channels(
      named: parameters.channel, skippingMissing: false, allowingMany: true)
    let (groups, quantiles) = (groups, quantiles)
    let splitsTime = image.axis("t") != nil
    return .table(
      TableRecipe(
        name: parameters.tableName ?? "\(parameters.label)_features", kind: .features,
        backend: TableBackend(rawValue: parameters.backend.rawValue) ?? .anndata,
        label: parameters.label, channels: readsVoxels ? channels : [],
        sums: SumsNeed(
          products: groups.contains(.axes),
          squares: groups.contains(.intensity) || groups.contains(.distribution),
          powers: groups.contains(.distribution), weighted: groups.contains(.weighted),
          counts: !counted.isEmpty, euler: groups.contains(.euler),
          contours: groups.contains(.perimeter)),
        splitsTime: splitsTime
      ) { objects throws(Fault) in
        [objects.labels] + (splitsTime ? [objects.times] : [])
          + groups.flatMap { columns(of: $0, objects) }
          + (quantiles.isEmpty ? [] : objects.quantileColumns(quantiles))
      })
  }

  private func columns(of group: FeatureGroup, _ objects: MeasuredObjects) -> [TableColumn] {
    switch group {
    case .shape: objects.shapeColumns
    case .axes: objects.axesColumns
    case .euler: objects.eulerColumns
    case .perimeter: objects.perimeterColumns
    case .intensity: objects.intensityColumns
    case .weighted: objects.weightedColumns
    case .distribution: objects.distributionColumns
    }
  }
}
