package import OMJSON

/// A group of 0.6 that says how images lie to each other.
package struct SceneGroup: Sendable {
  /// Where it is.
  package let location: ImageLocation
  /// The version of OME-Zarr that it follows.
  package let version: String
  /// Its own systems, and the transformations between those and the images'.
  package let coordinates: CoordinateGraph
  /// The keys of its images below the group, each once.
  package let images: [String]
  /// What is odd about the metadata but can be read.
  package let warnings: [String]

  /// Takes the metadata of a group; nil when they are no scene.
  init?(_ group: OMEGroup, at location: ImageLocation) {
    guard let scene = group.keys["scene"]?.objectValue else { return nil }
    self.location = location
    version = group.version.rawValue
    coordinates = CoordinateGraph(scene)
    var images: [String] = []
    var known: Set<String> = []
    for link in coordinates.links {
      for path in [link.input.path, link.output.path].compactMap(\.self)
      where known.insert(path).inserted { images.append(path) }
    }
    self.images = images
    warnings = group.warnings
  }

  /// Why a run, or a command that takes one image, does not take it.
  package var refusal: Fault {
    let shown = images.prefix(4).map { "`\(joinedKey(location.displayName, $0))`" }
    return Fault(
      .unsupported, joinedKey(location.displayName, "zarr.json"),
      "this is a scene, transformations between images; only its images are processed, one by one",
      hint: shown.isEmpty ? nil : "its images are \(shown.joined(separator: ", "))")
  }
}
