import Glibc
import OMJSON
import OMRun
import OMStore
import OMTask

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
  ///   - output: The folder for new images as the caller named it; nil where it did not.
  /// - Returns: An object with the one key that Fractal knows.
  static func document(
    _ report: RunReport, inputs: [String], folder: String, types: [String: Bool],
    output: String? = nil
  ) -> JSON {
    if let answer = report.answer {
      let named = (inputs + (output.map { [$0] } ?? [])).map { absolute($0, folder: folder) }
      return told(answer, named, types)
    }
    var updates: [JSONObject] = []
    var removals: [String] = []
    for (index, image) in report.images.enumerated() {
      // Who ends an image that several processes make tells of it.
      if image.status == .failed || image.status == .part { continue }
      // Plates and wells have several images each, so then no image stands for an input.
      let isInput = report.images.count == inputs.count && isSame(inputs[index], image.uri)
      let url = absolute(isInput ? inputs[index] : image.uri, folder: folder)
      if let answer = image.answer {
        let moved = { absolute(self.place($0, knowing: image.uri, as: url), folder: folder) }
        for update in told(answer, image, url, types, moved) where !updates.contains(update) {
          updates.append(update)
        }
        removals += answer.removals.map(moved)
        continue
      }
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
    var document: JSONObject = ["image_list_updates": .array(updates.map(JSON.object))]
    if !removals.isEmpty { document["image_list_removals"] = .array(removals.map(JSON.string)) }
    return .object(document)
  }

  /// What programs told that had all images as one piece of work.
  ///
  /// The caller may know them by paths that lead through links.
  private static func told(
    _ answer: WholeImageAnswer, _ named: [String], _ types: [String: Bool]
  ) -> JSON {
    let roots = linked(named)
    let moved = { (url: String) -> String in
      for (real, given) in roots where url == real || url.hasPrefix(real + "/") {
        return "\(given)\(url.dropFirst(real.count))"
      }
      return url
    }
    var document: JSONObject = [
      "image_list_updates": .array(
        answer.updates.map { told in
          var told = told
          for key in ["zarr_url", "origin"] {
            if let url = told[key]?.stringValue { told[key] = .string(moved(url)) }
          }
          return .object(update(told, types))
        })
    ]
    if !answer.removals.isEmpty {
      document["image_list_removals"] = .array(answer.removals.map { .string(moved($0)) })
    }
    return .object(document)
  }

  /// The folders that paths of the caller lead to through links: what they are, and as he knows them.
  private static func linked(_ paths: [String]) -> [(real: String, given: String)] {
    var roots: [String: String] = [:]
    for path in paths {
      guard let known = realpath(path, nil) else { continue }
      defer { free(known) }
      var (real, given) = (String(cString: known)[...], path[...])
      while lastPart(of: String(real)) == lastPart(of: String(given)), !real.isEmpty, !given.isEmpty
      {
        (real, given) = (parent(of: real), parent(of: given))
      }
      if real != given { roots[String(real)] = String(given) }
    }
    return roots.sorted { $0.key > $1.key }.map { ($0.key, $0.value) }
  }

  /// What a program told that did an image by itself, with the types that its manifest promises.
  ///
  /// An image of which it told nothing counts as changed, as Fractal has it.
  private static func told(
    _ answer: WholeImageAnswer, _ image: ImageReport, _ url: String, _ types: [String: Bool],
    _ moved: (String) -> String
  ) -> [JSONObject] {
    // An image that was left alone is not changed.
    if image.note != nil { return [] }
    if answer.updates.isEmpty && answer.removals.isEmpty {
      return [update(["zarr_url": .string(url)], types)]
    }
    return answer.updates.map { told in
      var told = told
      for key in ["zarr_url", "origin"] {
        if let place = told[key]?.stringValue { told[key] = .string(moved(place)) }
      }
      return update(told, types)
    }
  }

  /// An update with the types of the task; its own ones count more.
  private static func update(_ told: JSONObject, _ types: [String: Bool]) -> JSONObject {
    if types.isEmpty { return told }
    var told = told
    var all = JSONObject(
      members: types.sorted { $0.key < $1.key }.map { ($0.key, .bool($0.value)) })
    for (name, value) in told["types"]?.objectValue?.members ?? [] { all[name] = value }
    told["types"] = .object(all)
    return told
  }

  /// The address of an image that a program told of, as the caller knows it: the image itself, or one
  /// beside it or in a plate beside its plate.
  private static func place(
    _ told: String, knowing image: String, as url: String
  ) -> String {
    if told == image { return url }
    var (given, known) = (image[...], url[...])
    for _ in 0..<4 {
      (given, known) = (parent(of: given), parent(of: known))
      if given.isEmpty || known.isEmpty { break }
      if told.hasPrefix(given + "/") { return "\(known)\(told.dropFirst(given.count))" }
    }
    return told
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
    var path = fileURLPath(uri) ?? uri
    while path.count > 1 && path.hasSuffix("/") { path.removeLast() }
    if path.contains("://") { return shownURI(path) }
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
