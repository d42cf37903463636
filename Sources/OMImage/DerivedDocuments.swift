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
  /// How many levels it has.
  package let levelCount: Int
  /// How its coarser levels were made; nil for copies of levels, which are as the image says.
  package let pyramid: PyramidDescription?
  /// Our record of how it was made; a member `source` is added.
  package let record: JSON

  /// Describes a derived image with all levels of the image.
  package init(
    image: OMEImage, name: String, collapse: Collapse?, pyramid: PyramidDescription, record: JSON
  ) {
    self.image = image
    self.name = name
    version = image.version
    levelCount = image.levels.count
    self.collapse = collapse
    self.pyramid = pyramid
    self.record = record
  }

  /// Describes a copy of the first levels of an image.
  ///
  /// - Precondition: The image has as many levels.
  package init(
    image: OMEImage, version: OMEVersion, name: String, levelCount: Int, record: JSON
  ) {
    precondition(levelCount <= image.levels.count)
    self.image = image
    self.version = version
    self.name = name
    self.levelCount = levelCount
    collapse = nil
    pyramid = nil
    self.record = record
  }

  /// The name of a derived image beside an image: `<image>_<suffix>`, in front of its extension.
  package static func name(of image: ImageLocation, suffix: String) -> String {
    let name = image.name
    for ending in [".ome.zarr", ".zarr"] where name.hasSuffix(ending) && name.count > ending.count {
      return "\(name.dropLast(ending.count))_\(suffix)\(ending)"
    }
    return "\(name)_\(suffix)"
  }

  package func group(source: String) -> [MetadataDocument] {
    var metadata: JSONObject = ["multiscales": [.object(multiscale)]]
    // Channels that were projected onto each other are none of those that are described.
    if let omero = image.omero, collapse == nil || collapse?.axis != image.channelAxis {
      metadata["omero"] = omero
    }
    var record = record.objectValue ?? JSONObject()
    record["source"] = .string(source)
    return groupDocuments(
      "", zarrFormat: version.zarrFormat,
      attributes: version.attributes(metadata, record: .object(record)))
  }

  private var multiscale: JSONObject {
    var multiscale = JSONObject()
    if version.repeatsVersion { multiscale["version"] = .string(version.rawValue) }
    multiscale["name"] = .string(name)
    multiscale["axes"] = .array(image.axes.map(\.document))
    multiscale["datasets"] = .array((0..<levelCount).map(dataset))
    multiscale["coordinateTransformations"] = image.transformations?.document
    if levelCount > 1 { describePyramid(&multiscale) }
    return multiscale
  }

  private func describePyramid(_ multiscale: inout JSONObject) {
    if let pyramid { return pyramid.add(to: &multiscale) }
    for key in ["type", "metadata"] { multiscale[key] = image.document[key] }
  }

  private func dataset(_ level: Int) -> JSON {
    var transformations = image.levels[level].transformations.document
    if let collapse {
      // The voxel lies in the middle of those it covers, at every level.
      let finest = image.levels[0]
      let (scale, axis) = (finest.scale[collapse.axis], collapse.axis)
      let middle = Double(collapse.range.lowerBound) + Double(collapse.range.count - 1) / 2
      transformations = image.levels[level].transformations.document(
        replacing: axis, scale: scale * Double(collapse.range.count),
        translation: (finest.translation?[axis] ?? 0) + scale * middle)
    }
    return [
      "path": .string(LabelDocuments.levelPath(level)),
      "coordinateTransformations": transformations,
    ]
  }
}
