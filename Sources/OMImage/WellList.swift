package import OMJSON
package import OMStore

/// The list of images in the metadata of a well, to be changed.
package enum WellList {
  /// The well that an image is listed in, or nil when the group above it is none.
  ///
  /// - Returns: The key of the well, and the version of its metadata.
  /// - Throws: What reading gives; the subject is a key of the store.
  package static func well(
    of image: ImageLocation
  ) throws(Fault) -> (path: String, version: OMEVersion)? {
    guard !image.path.isEmpty else { return nil }
    let parent = image.path.lastIndex(of: "/").map { String(image.path[..<$0]) } ?? ""
    guard let group = try OMEGroup.read(image.store, path: parent), group.keys["well"] != nil
    else { return nil }
    return (parent, group.version)
  }

  /// Whether a well lists an image.
  package static func lists(
    _ name: String, well: String, in store: any Store
  ) throws(Fault) -> Bool {
    guard let group = try OMEGroup.read(store, path: well) else { return false }
    return (group.keys["well"]?["images"]?.arrayValue ?? []).contains {
      $0["path"]?.stringValue == name
    }
  }

  /// The document of a well with one more image.
  ///
  /// - Parameters:
  ///   - name: The path of the new image, below the well.
  ///   - origin: The image that it was made of: the new one gets its acquisition.
  ///   - bytes: The document.
  ///   - subject: The document, for messages.
  /// - Returns: The new document, or nil when the image is listed already.
  /// - Throws: `json` or `metadata` when the document cannot be read.
  package static func adding(
    _ name: String, besides origin: String, to bytes: [UInt8], subject: String
  ) throws(Fault) -> [UInt8]? {
    let json = try JSON(parsing: bytes, subject: subject, lenient: true)
    guard var document = json.objectValue else {
      throw Fault(.metadata, subject, "the document is \(json.kindName), expected an object")
    }
    guard let path = place(of: document), var images = document.value(at: path)?.arrayValue else {
      throw Fault(.metadata, subject, "there is no list `images` of a well")
    }
    if images.contains(where: { $0["path"]?.stringValue == name }) { return nil }
    let known = images.first { $0["path"]?.stringValue == origin }
    var entry = known?.objectValue ?? JSONObject()
    entry["path"] = .string(name)
    images.insert(.object(entry), at: position(of: name, madeOf: origin, in: images))
    document.set(.array(images), at: path)
    return JSON.object(document).bytes(indent: 2)
  }

  /// Where a new image goes: to the end, but before those that were made in the same way of later images, so that
  /// the list does not depend on which is made first.
  private static func position(of name: String, madeOf origin: String, in images: [JSON]) -> Int {
    let paths = images.map { $0["path"]?.stringValue }
    guard name.hasPrefix(origin), let place = paths.firstIndex(of: origin) else {
      return images.endIndex
    }
    let suffix = name.dropFirst(origin.count)
    let later = Set(paths[place...].dropFirst().compactMap { path in path.map { $0 + suffix } })
    return paths.firstIndex { $0.map(later.contains) ?? false } ?? images.endIndex
  }

  /// Where the list stands: at the top in Zarr v2, below `attributes` and `ome` in v3.
  private static func place(of document: JSONObject) -> [String]? {
    let places = [
      ["well", "images"], ["attributes", "ome", "well", "images"],
      ["attributes", "well", "images"],
    ]
    return places.first { document.value(at: $0) != nil }
  }
}
