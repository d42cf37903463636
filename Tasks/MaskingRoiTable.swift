public import OMJSON
public import OMManifest
public import OMTask

/// `masking-roi-table`: the boxes of the objects of a label image, as ngio lists them.
public struct MaskingRoiTableTask: RegionTask {
  private let parameters: MaskingRoiTableParameters

  /// Binds the task.
  public init(_ bound: Parameters) throws(Fault) {
    parameters = try MaskingRoiTableParameters(bound)
  }

  /// One masking ROI table.
  public func product(for image: ImageInfo) throws(Fault) -> Product {
    .table(
      TableRecipe(
        name: parameters.tableName ?? "\(parameters.label)_masking_ROI_table",
        kind: .maskingROIs,
        backend: TableBackend(rawValue: parameters.backend.rawValue) ?? .anndata,
        label: parameters.label, channels: [], sums: SumsNeed(), splitsTime: false
      ) { objects throws(Fault) in [objects.labels] + objects.roiColumns })
  }
}
