package import OMJSON

/// The metadata of a label image that is made of an image.
///
/// Axes, scales and translations are those of the image, copied as they were written; array
/// documents belong to the arrays and are not among them.
package struct LabelDocuments: GroupDocuments {
  /// The image that the label image belongs to.
  package let image: OMEImage
  /// The version of OME-Zarr to write: that of the hierarchy that is extended.
  package let version: OMEVersion
  /// The name of the label image.
  package let name: String
  /// The level of the image whose voxels the label image has.
  package let firstLevel: Int
  /// How many levels it has.
  package let levelCount: Int
  /// Whether it has the image's channel axis.
  package let keepsChannelAxis: Bool
  /// How its coarser levels were made.
  package let pyramid: PyramidDescription
  /// Our record of how it was made.
  package let record: JSON

  /// Describes a label image.
  ///
  /// - Precondition: The image has `levelCount` levels from `firstLevel` on.
  package init(
    image: OMEImage, version: OMEVersion, name: String, firstLevel: Int, levelCount: Int,
    keepsChannelAxis: Bool, pyramid: PyramidDescription, record: JSON
  ) {
    precondition(firstLevel >= 0 && levelCount > 0)
    precondition(firstLevel + levelCount <= image.levels.count)
    self.image = image
    self.version = version
    self.name = name
    self.firstLevel = firstLevel
    self.levelCount = levelCount
    self.keepsChannelAxis = keepsChannelAxis
    self.pyramid = pyramid
    self.record = record
  }

  /// The names of the axes of its arrays.
  package var axisNames: [String] { axes.map(\.name) }

  /// The path of the array of a level (0 is its finest), below the label image.
  package static func levelPath(_ level: Int) -> String { "\(level)" }

  /// Whether a name below an image may be that of a level: `1`, or `1_2` where it was made in place.
  package static func isLevelPath(_ name: String) -> Bool {
    let parts = name.split(separator: "_", omittingEmptySubsequences: false)
    return parts.count <= 2 && parts.allSatisfy { Int($0) != nil }
  }

  /// The path from a label image to the image it lies in.
  package static let sourceInPlace = "../../"

  package func group(source: String) -> [MetadataDocument] {
    groupDocuments("", zarrFormat: version.zarrFormat, attributes: attributes(source: source))
  }

  /// The attributes of its group.
  func attributes(source: String) -> JSONObject {
    var label = JSONObject()
    if version.repeatsVersionInside { label["version"] = .string(version.rawValue) }
    label["source"] = ["image": .string(source)]
    let entry = WrittenMultiscale.entry(
      multiscale, version, like: image.document, keepsSystems: false)
    let metadata: JSONObject = [
      "multiscales": [.object(entry)], "image-label": .object(label),
    ]
    return version.attributes(metadata, record: record)
  }

  private var droppedAxis: Int? { keepsChannelAxis ? nil : image.channelAxis }

  private var axes: [Axis] {
    image.axes.enumerated().filter { $0.offset != droppedAxis }.map(\.element)
  }

  private var multiscale: JSONObject {
    var multiscale = JSONObject()
    if version.repeatsVersion { multiscale["version"] = .string(version.rawValue) }
    multiscale["name"] = .string(name)
    multiscale["axes"] = .array(axes.map(\.document))
    multiscale["datasets"] = .array((0..<levelCount).map(dataset))
    multiscale["coordinateTransformations"] =
      image.transformations?.document(droppingAxis: droppedAxis)
    if levelCount > 1 { pyramid.add(to: &multiscale) }
    return multiscale
  }

  private func dataset(_ level: Int) -> JSON {
    let transformations = image.levels[firstLevel + level].transformations
    return [
      "path": .string(Self.levelPath(level)),
      "coordinateTransformations": transformations.document(droppingAxis: droppedAxis),
    ]
  }
}
