package import OMJSON

/// The metadata of a derived image: those of the image it was made of, as far as they still hold.
///
/// Axes, scales, translations and channels are copied as they were written; array documents belong to
/// the arrays and are not among them.
package struct DerivedDocuments: GroupDocuments {
  /// An axis that became one voxel long, and what the one voxel covers.
  package struct Collapse: Sendable {
    /// The axis.
    package let axis: Int
    /// The voxels of the finest level that it covers.
    package let range: Range<Int>

    /// Makes a collapse.
    package init(axis: Int, range: Range<Int>) {
      self.axis = axis
      self.range = range
    }
  }

  /// The image that it was made of.
  package let image: OMEImage
  package let name: String
  /// The axis that became one voxel long.
  package let collapse: Collapse?
  /// The version of OME-Zarr to write.
  package let version: OMEVersion
  /// Its axes as they are written.
  private let axes: [JSON]
  /// The transformations of its levels, finest first.
  private let levels: [JSON]
  /// What is applied after them.
  private let transformations: JSON?
  /// How its coarser levels were made; nil where all are as the image says.
  private let pyramid: PyramidDescription?
  /// The first of its levels that the image lacks, in a copy that has such.
  private let firstMade: Int?
  /// Our record of how it was made; a member `source` is added.
  package let record: JSON

  /// Describes a derived image with all levels of the image.
  package init(
    image: OMEImage, name: String, collapse: Collapse?, pyramid: PyramidDescription, record: JSON
  ) {
    self.image = image
    self.name = name
    version = image.version
    axes = image.axes.map(\.document)
    levels = image.levels.indices.map { DerivedDocuments.level($0, of: image, collapse) }
    transformations = image.transformations?.document
    firstMade = nil
    self.collapse = collapse
    self.pyramid = pyramid
    self.record = record
  }

  /// Describes a copy of an image.
  ///
  /// - Parameters:
  ///   - image: The image.
  ///   - version: The version of OME-Zarr to write.
  ///   - name: The name of the copy.
  ///   - order: Its axes.
  ///   - levels: The transformations of its levels.
  ///   - made: The first level that the image lacks, and how those were made; nil when there is none.
  ///   - record: Our record of how it was made.
  package init(
    copyOf image: OMEImage, version: OMEVersion, name: String, order: AxisOrder, levels: [JSON],
    made: (first: Int, PyramidDescription)?, record: JSON
  ) {
    self.image = image
    self.version = version
    self.name = name
    axes = order.axes.map(\.document)
    self.levels = levels
    transformations = image.transformations?.document(along: order)
    firstMade = made?.first
    collapse = nil
    pyramid = made?.1
    self.record = record
  }

  /// The name of a derived image beside an image: `<image>_<suffix>`, in front of its extension.
  package static func name(of image: ImageLocation, suffix: String) -> String {
    let name = image.name
    for ending in [".ome.zarr", ".zarr"] where name.hasSuffix(ending) && name.count > ending.count {
      return "\(name.dropLast(ending.count))_\(suffix)\(ending)"
    }
    // What is made of an archive is a folder.
    for ending in [".ome.zarr.zip", ".zarr.zip", ".ozx"]
    where name.hasSuffix(ending) && name.count > ending.count {
      return "\(name.dropLast(ending.count))_\(suffix).zarr"
    }
    return "\(name)_\(suffix)"
  }

  package func group(source: String) -> [MetadataDocument] {
    let entry = WrittenMultiscale.entry(
      multiscale, version, like: image.document, keepsSystems: true)
    var metadata: JSONObject = ["multiscales": [.object(entry)]]
    // Channels that were projected onto each other are none of those that are described.
    if let omero = image.omero, collapse == nil || collapse?.axis != image.channelAxis {
      metadata["omero"] = versioned(omero)
    }
    var record = record.objectValue ?? JSONObject()
    record["source"] = .string(source)
    return groupDocuments(
      "", zarrFormat: version.zarrFormat,
      attributes: version.attributes(metadata, record: .object(record)))
  }

  /// The description of channels with the version to write, where it has one.
  private func versioned(_ omero: JSON) -> JSON {
    guard var object = omero.objectValue, object["version"] != nil else { return omero }
    object["version"] = version.repeatsVersion ? .string(version.rawValue) : nil
    return .object(object)
  }

  private var multiscale: JSONObject {
    var multiscale = JSONObject()
    if version.repeatsVersion { multiscale["version"] = .string(version.rawValue) }
    multiscale["name"] = .string(name)
    multiscale["axes"] = .array(axes)
    multiscale["datasets"] = .array(
      levels.enumerated().map { level, transformations in
        [
          "path": .string(LabelDocuments.levelPath(level)),
          "coordinateTransformations": transformations,
        ]
      })
    multiscale["coordinateTransformations"] = transformations
    if levels.count > 1 { describePyramid(&multiscale) }
    return multiscale
  }

  private func describePyramid(_ multiscale: inout JSONObject) {
    let isCopied = firstMade.map { $0 > 1 } ?? (pyramid == nil)
    if isCopied {
      for key in ["type", "metadata"] { multiscale[key] = image.document[key] }
    }
    guard let pyramid else { return }
    guard isCopied, let firstMade else { return pyramid.add(to: &multiscale) }
    // The image tells of its own levels, and we of those behind them.
    if multiscale["type"] == nil { multiscale["type"] = .string(pyramid.method) }
    var metadata = multiscale["metadata"]?.objectValue ?? JSONObject()
    metadata["made_levels"] = [
      "first": JSON(firstMade), "method": .string(pyramid.method),
      "description": .string(pyramid.description),
    ]
    multiscale["metadata"] = .object(metadata)
  }

  private static func level(
    _ level: Int, of image: OMEImage, _ collapse: Collapse?
  ) -> JSON {
    let transformations = image.levels[level].transformations
    guard let collapse else { return transformations.document }
    // The voxel lies in the middle of those it covers, at every level.
    let finest = image.levels[0]
    let (scale, axis) = (finest.scale[collapse.axis], collapse.axis)
    let middle = Double(collapse.range.lowerBound) + Double(collapse.range.count - 1) / 2
    return transformations.document(
      replacing: axis, scale: scale * Double(collapse.range.count),
      translation: (finest.translation?[axis] ?? 0) + scale * middle)
  }
}
