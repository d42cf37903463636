import OMJSON
import OMRun

/// The file of `--out-json`: what Fractal wants to know, and no other key.
enum OutJSON {
  /// The document of a run that made labels: the images that were processed.
  ///
  /// Labels change an image in place, so each image is listed under its own address, once.
  ///
  /// Fractal knows an image by the address it gave, not by the path that links lead to.
  ///
  /// - Parameters:
  ///   - report: The run.
  ///   - inputs: The images as the caller named them.
  ///   - folder: The working directory, for addresses that are relative.
  /// - Returns: An object with the one key that Fractal knows.
  static func document(_ report: RunReport, inputs: [String], folder: String) -> JSON {
    var urls: [String] = []
    for (index, image) in report.images.enumerated() where image.status != .failed {
      // Plates and wells have several images each, so then no image stands for an input.
      let isInput = report.images.count == inputs.count && isSame(inputs[index], image.uri)
      let url = absolute(isInput ? inputs[index] : image.uri, folder: folder)
      if !urls.contains(url) { urls.append(url) }
    }
    return ["image_list_updates": .array(urls.map { ["zarr_url": .string($0)] })]
  }

  /// Whether both addresses end with the same name.
  private static func isSame(_ input: String, _ uri: String) -> Bool {
    input.split(separator: "/").last == uri.split(separator: "/").last
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
