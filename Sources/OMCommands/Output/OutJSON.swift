import OMJSON
import OMRun

/// The file of `--out-json`: what Fractal wants to know, and no other key.
enum OutJSON {
  /// The document of a run that made labels: the images that were processed.
  ///
  /// Labels change an image in place, so each image is listed under its own address, once.
  ///
  /// - Parameters:
  ///   - report: The run.
  ///   - folder: The working directory, for addresses that are relative.
  /// - Returns: An object with the one key that Fractal knows.
  static func document(_ report: RunReport, folder: String) -> JSON {
    var urls: [String] = []
    for image in report.images where image.status != .failed {
      let url = absolute(image.uri, folder: folder)
      if !urls.contains(url) { urls.append(url) }
    }
    return ["image_list_updates": .array(urls.map { ["zarr_url": .string($0)] })]
  }

  /// The address as Fractal lists it: absolute, without a slash at its end.
  static func absolute(_ uri: String, folder: String) -> String {
    var path = uri.hasPrefix("file://") ? String(uri.dropFirst("file://".count)) : uri
    while path.count > 1 && path.hasSuffix("/") { path.removeLast() }
    if path.hasPrefix("/") || path.contains("://") { return path }
    while path.hasPrefix("./") { path.removeFirst(2) }
    return folder.hasSuffix("/") ? folder + path : "\(folder)/\(path)"
  }
}
