import OMGrid
public import OMJSON
public import OMManifest
public import OMTask

/// `measure`: a table of what the objects of a label image are like.
public struct MeasureTask: RegionTask {
  private let parameters: MeasureParameters
  private let groups: [FeatureGroup]

  /// Features that are asked for together.
  private enum FeatureGroup: String, CaseIterable {
    case shape, axes, intensity, weighted, distribution

    /// Whether the voxels of the image are needed.
    var readsVoxels: Bool { self != .shape && self != .axes }
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
  }

  /// One feature table.
  public func product(for image: ImageInfo) throws(Fault) -> Product {
    let readsVoxels = groups.contains { $0.readsVoxels }
    if groups.contains(.distribution) && !SumsNeed.isNarrow(image.dataType) {
      throw Fault(
        .unsupported, "",
        "`features` names distribution, which is known for integers of at most 16 bits; the voxels "
          + "are of type \(image.dataType.rawValue)", hint: "leave `distribution` out")
    }
    let channels = try image.channels(
      named: parameters.channel, skippingMissing: false, allowingMany: true)
    let groups = groups
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
          counts: groups.contains(.distribution)),
        splitsTime: splitsTime
      ) { objects throws(Fault) in
        [objects.labels] + (splitsTime ? [objects.times] : [])
          + groups.flatMap { columns(of: $0, objects) }
      })
  }

  private func columns(of group: FeatureGroup, _ objects: MeasuredObjects) -> [TableColumn] {
    switch group {
    case .shape: objects.shapeColumns
    case .axes: objects.axesColumns
    case .intensity: objects.intensityColumns
    case .weighted: objects.weightedColumns
    case .distribution: objects.distributionColumns
    }
  }
}
