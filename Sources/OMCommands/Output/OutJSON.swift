import OMJSON
import OMRun

/// The file of `--out-json`: what Fractal wants to know, and no other key.
enum OutJSON {
  /// The document of a run: the images that changed or were made.
  ///
  /// Labels change an image in place, so the image is listed under its own address, once. A derived
  /// image is listed with the image it was made of as its origin.
  ///
  /// Fractal knows an image by the address it gave, not by the path that links lead to.
  ///
  /// - Parameters:
  ///   - report: The run.
  ///   - inputs: The images as the caller named them.
  ///   - folder: The working directory, for addresses that are relative.
  ///   - types: The types of what the task makes.
  /// - Returns: An object with the one key that Fractal knows.
  static func document(
    _ report: RunReport, inputs: [String], folder: String, types: [String: Bool]
  ) -> JSON {
    var updates: [JSONObject] = []
    for (index, image) in report.images.enumerated() {
      // Who ends an image that several processes make tells of it.
      if image.status == .failed || image.status == .part { continue }
      // Plates and wells have several images each, so then no image stands for an input.
      let isInput = report.images.count == inputs.count && isSame(inputs[index], image.uri)
      let url = absolute(isInput ? inputs[index] : image.uri, folder: folder)
      let derived = image.outputs.filter { $0.kind == .image }
      var made = derived.map { output -> JSONObject in
        let place = place(of: output, knowing: image.uri, as: url)
        var update: JSONObject = [
          "zarr_url": .string(absolute(place, folder: folder)), "origin": .string(url),
        ]
        // All else about the plate is inherited from the origin.
        if let plate = output.plate {
          update["attributes"] = ["plate": .string(String(lastPart(of: plate)))]
        }
        update["types"] = .object(
          JSONObject(members: types.sorted { $0.key < $1.key }.map { ($0.key, .bool($0.value)) }))
        return update
      }
      // An image that was left alone is not changed.
      if made.isEmpty && image.note == nil { made = [["zarr_url": .string(url)]] }
      for update in made where !updates.contains(update) { updates.append(update) }
    }
    return ["image_list_updates": .array(updates.map(JSON.object))]
  }

  /// Where an image was made: below the folder that the caller knows by another name, when it lies beside
  /// the image or in a plate beside the plate of the image.
  private static func place(
    of output: OutputReport, knowing image: String, as url: String
  ) -> String {
    var (made, given, known) = (output.uri[...], image[...], url[...])
    // A plate is three levels above its images.
    for _ in 0..<(output.plate == nil ? 1 : 4) {
      (made, given, known) = (parent(of: made), parent(of: given), parent(of: known))
    }
    return made == given ? "\(known)\(output.uri.dropFirst(made.count))" : output.uri
  }

  private static func lastPart(of path: String) -> Substring {
    path.split(separator: "/").last ?? ""
  }

  private static func parent(of path: some StringProtocol) -> Substring {
    Substring(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
  }

  /// Whether both addresses end with the same name.
  private static func isSame(_ input: String, _ uri: String) -> Bool {
    input.split(separator: "/").last == uri.split(separator: "/").last
  }

  /// The address as Fractal lists it: absolute, without a slash at its end.
  static func absolute(_ uri: String, folder: String) -> String {
    var path = uri.hasPrefix("file://") ? String(uri.dropFirst("file://".count)) : uri
    while path.count > 1 && path.hasSuffix("/") { path.removeLast() }
    if path.contains("://") { return path }
    while path.hasPrefix("./") { path.removeFirst(2) }
    let whole = path.hasPrefix("/") ? path : "\(folder)/\(path)"
    // Fractal refuses addresses with `..`.
    var parts: [Substring] = []
    for part in whole.split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
  }
}
