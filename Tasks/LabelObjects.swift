public import OMJSON
public import OMManifest
public import OMTask

/// `label-objects`: the connected objects of a mask, or of equal labels, numbered over the whole image.
public struct LabelObjectsTask: RegionTask {
  private let parameters: LabelObjectsParameters

  /// Binds the task.
  public init(_ bound: Parameters) throws(Fault) {
    parameters = try LabelObjectsParameters(bound)
    if let low = parameters.minSize, let high = parameters.maxSize, low > high {
      throw Fault(.usage, "", "`min_size` is \(low), above `max_size` \(high)")
    }
  }

  /// One label image beside the mask.
  public func product(for image: ImageInfo) throws(Fault) -> Product {
    let name = parameters.labelName ?? "\(parameters.label)_objects"
    if name == parameters.label {
      throw Fault(
        .usage, "", "`label_name` is `\(name)`, the name of the mask",
        hint: "give another name: the mask stays as it is")
    }
    let rules = ObjectRules(
      connectivity: Connectivity(rawValue: parameters.connectivity.rawValue) ?? .full,
      minimumSize: parameters.minSize, maximumSize: parameters.maxSize,
      clearsBorder: parameters.clearBorder, comparesValues: parameters.mode == .equalValues)
    return .labels([
      LabelRecipe(
        name: name, label: parameters.label, masking: parameters.maskingLabel, channels: [0],
        keepsChannelAxis: false,
        level: parameters.level, statistics: nil, scope: .volume, objects: rules,
        dataType: LabelType(rawValue: parameters.dtype.rawValue),
        downsampling: Downsampling(rawValue: parameters.pyramid.rawValue) ?? .mode
      ) { _ throws(Fault) in MaskChoice(kernel: NotZero()) }
    ])
  }
}

/// Voxels that are not 0.
private struct NotZero: MaskKernel {
  func mask<V: Voxel>(
    _ voxels: UnsafePointer<V>, _ mask: UnsafeMutablePointer<UInt8>, count: Int
  ) {
    let zero = V.zero
    for index in 0..<count { mask[index] = voxels[index] != zero ? 1 : 0 }
  }
}
