package import OMJSON

/// Other coarser levels in the metadata of an image: all that changes in one document.
///
/// The finest level, everything that OME-Zarr or others keep beside the levels, the order of keys and
/// the texts of numbers stay.
package struct LevelsEdit: Sendable, Equatable {
  /// The paths of the levels that there were, the finest first.
  package let old: [String]
  /// The transformations of each new level but the finest.
  package let transformations: [JSON]
  /// How the new levels are made.
  package let pyramid: PyramidDescription

  /// Describes a change.
  package init(old: [String], transformations: [JSON], pyramid: PyramidDescription) {
    self.old = old
    self.transformations = transformations
    self.pyramid = pyramid
  }

  /// The document of the image with the new levels.
  ///
  /// - Parameters:
  ///   - bytes: The document as it is.
  ///   - paths: The paths of the new levels but the finest.
  ///   - subject: The document, for messages.
  /// - Returns: The new document.
  /// - Throws: `json` or `metadata` when the document cannot be read, `locked` when it lists other
  ///   levels than those that there were.
  package func document(
    of bytes: [UInt8], paths: [String], subject: String
  ) throws(Fault) -> [UInt8] {
    let json = try JSON(parsing: bytes, subject: subject, lenient: true)
    guard var document = json.objectValue, let place = Self.place(in: document),
      var images = document.value(at: place)?.arrayValue, var entry = images.first?.objectValue,
      let present = entry["datasets"]?.arrayValue
    else { throw Fault(.metadata, subject, "there are no `multiscales` with `datasets`") }
    if present.map({ $0["path"]?.stringValue }) != old {
      throw Fault(
        .locked, subject, "another program has changed the levels of the image meanwhile",
        hint: "run the command again")
    }
    var datasets = Array(present.prefix(1))
    for (index, transformations) in transformations.enumerated() {
      let known = index + 1 < present.count ? present[index + 1].objectValue : nil
      var dataset = known ?? JSONObject()
      dataset["path"] = .string(paths[index])
      dataset["coordinateTransformations"] = transformations
      datasets.append(.object(WrittenMultiscale.dataset(dataset, into: entry)))
    }
    entry["datasets"] = .array(datasets)
    pyramid.add(to: &entry)
    images[0] = .object(entry)
    document.set(.array(images), at: place)
    return JSON.object(document).bytes(indent: 2)
  }

  /// The paths of the levels that a document lists: of the first image, and of all images in it.
  ///
  /// - Throws: `json` for bytes that are no document.
  package static func paths(
    in bytes: [UInt8], subject: String
  ) throws(Fault) -> (first: [String], all: Set<String>) {
    let json = try JSON(parsing: bytes, subject: subject, lenient: true)
    guard let document = json.objectValue, let place = place(in: document) else { return ([], []) }
    let images = (document.value(at: place)?.arrayValue ?? []).map { image in
      (image["datasets"]?.arrayValue ?? []).compactMap { $0["path"]?.stringValue }
    }
    return (images.first ?? [], Set(images.joined()))
  }

  /// Where the images stand: at the top in Zarr v2, below `attributes` and `ome` in v3.
  private static func place(in document: JSONObject) -> [String]? {
    let places = [
      ["attributes", "ome", "multiscales"], ["attributes", "multiscales"], ["multiscales"],
    ]
    return places.first { document.value(at: $0) != nil }
  }
}

// MARK: - As a document

extension LevelsEdit {
  /// The change as JSON, for a run that goes on with it.
  package var json: JSONObject {
    [
      "old": .array(old.map(JSON.string)), "transformations": .array(transformations),
      "method": .string(pyramid.method), "description": .string(pyramid.description),
    ]
  }

  /// Reads what `json` says; nil when it says something else.
  package init?(_ json: JSON) {
    guard let old = json["old"]?.arrayValue?.compactMap(\.stringValue),
      let transformations = json["transformations"]?.arrayValue,
      let method = json["method"]?.stringValue, let description = json["description"]?.stringValue
    else { return nil }
    self.init(
      old: old, transformations: transformations,
      pyramid: PyramidDescription(method: method, description: description))
  }
}
