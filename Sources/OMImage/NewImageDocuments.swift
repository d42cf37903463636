package import OMJSON

/// The metadata of an image that is made of nothing that is stored: its axes, the sizes of its
/// voxels, and what is told of its channels.
package struct NewImageDocuments: GroupDocuments {
  package let name: String
  package let version: OMEVersion
  /// The letter of each axis with its unit.
  private let axes: [(letter: String, unit: String?)]
  /// The size of a voxel of each level, finest first, along each axis.
  private let scales: [[Double]]
  private let omero: JSON?

  /// Describes an image with one scale for each level.
  ///
  /// - Parameters:
  ///   - name: Its name.
  ///   - version: The version of OME-Zarr to write.
  ///   - axes: The letter and the unit of each axis, in array order.
  ///   - scales: The size of a voxel of each level, finest first.
  ///   - omero: What is told of its channels, as it is written.
  package init(
    name: String, version: OMEVersion, axes: [(letter: String, unit: String?)],
    scales: [[Double]], omero: JSON?
  ) {
    self.name = name
    self.version = version
    self.axes = axes
    self.scales = scales
    self.omero = omero
  }

  package func group(source: String) -> [MetadataDocument] {
    var multiscale = JSONObject()
    if version.repeatsVersion { multiscale["version"] = .string(version.rawValue) }
    multiscale["name"] = .string(name)
    multiscale["axes"] = .array(axes.map { axis in NewImageDocuments.axis(axis.letter, axis.unit) })
    multiscale["datasets"] = .array(
      scales.enumerated().map { level, scale in
        [
          "path": .string(LabelDocuments.levelPath(level)),
          "coordinateTransformations": Transformations.document(
            changing: nil, scale: scale, translation: nil),
        ]
      })
    var metadata: JSONObject = ["multiscales": [.object(multiscale)]]
    metadata["omero"] = omero
    return groupDocuments(
      "", zarrFormat: version.zarrFormat, attributes: version.attributes(metadata))
  }

  private static func axis(_ letter: String, _ unit: String?) -> JSON {
    let kind: Axis.Kind = letter == "t" ? .time : letter == "c" ? .channel : .space
    var axis: JSONObject = ["name": .string(letter), "type": .string(kind.rawValue)]
    axis["unit"] = unit.map { .string($0) }
    return .object(axis)
  }
}
