import OMJSON

/// The metadata of an OME-Zarr of its own that holds what was made of one image: a derived image, or
/// label images with `--output URI`.
///
/// One image is the root itself; several label images lie in `labels/<name>` as they would in an image.
package enum SeparateOutput {
  /// The key of each image below the output.
  package static func paths(_ names: [String]) -> [String] {
    names.count == 1 ? [""] : names.map { "labels/\($0)" }
  }

  /// The documents of all groups.
  ///
  /// - Parameters:
  ///   - labels: The images; at least one, all of one version.
  ///   - source: The image they were made of: an absolute path, or one relative to the output.
  /// - Returns: Documents with keys below the output, in the order in which to write them.
  package static func documents(
    _ labels: [any GroupDocuments], source: String
  ) -> [MetadataDocument] {
    let paths = paths(labels.map(\.name))
    let groups = zip(labels, paths).flatMap { label, path in
      label.group(source: reach(source, from: path)).map { $0.below(path) }
    }
    guard let version = labels.first?.version, labels.count > 1 else { return groups }
    let list = JSON.array(labels.map { .string($0.name) })
    return groups
      + groupDocuments(
        "labels", zarrFormat: version.zarrFormat, attributes: version.attributes(["labels": list]))
      + groupDocuments("", zarrFormat: version.zarrFormat, attributes: JSONObject())
  }

  /// A path that was relative to the output, as seen from a group below it.
  private static func reach(_ source: String, from path: String) -> String {
    if source.hasPrefix("/") || path.isEmpty { return source }
    return path.split(separator: "/").map { _ in "../" }.joined() + source
  }
}
