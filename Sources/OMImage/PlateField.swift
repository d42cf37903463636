package import OMJSON
package import OMStore

/// An image of a plate, with what the documents above it say about it.
package struct PlateField: Sendable {
  /// The hierarchy that holds the plate.
  package let store: any Store
  /// The key of the plate.
  package let plate: String
  /// The key of the well below the plate: row and column.
  package let well: String
  /// The path of the image below its well.
  package let name: String
  /// The `plate` object as it was read.
  package let plateDocument: JSONObject
  /// The `well` object as it was read.
  package let wellDocument: JSONObject

  /// The key of the image below the plate.
  package var path: String { joinedKey(well, name) }

  /// Where the plate is.
  package var plateLocation: ImageLocation { ImageLocation(store: store, path: plate) }

  /// Finds the well and the plate that list an image.
  ///
  /// - Returns: The field; nil for an image that no well of a plate lists.
  /// - Throws: What reading gives; the subject is a key of the store.
  package static func find(_ image: ImageLocation) throws(Fault) -> PlateField? {
    let parts = image.path.split(separator: "/").map(String.init)
    guard parts.count >= 3 else { return nil }
    let plate = parts.dropLast(3).joined(separator: "/")
    let well = parts.suffix(3).prefix(2).joined(separator: "/")
    guard let inner = try OMEGroup.read(image.store, path: joinedKey(plate, well)),
      let wellDocument = inner.keys["well"]?.objectValue, let name = parts.last,
      let outer = try OMEGroup.read(image.store, path: plate),
      let plateDocument = outer.keys["plate"]?.objectValue,
      listed(plateDocument["wells"]).contains(well)
    else { return nil }
    return PlateField(
      store: image.store, plate: plate, well: well, name: name, plateDocument: plateDocument,
      wellDocument: wellDocument)
  }
}

/// The paths of the entries of a list of wells or images.
func listed(_ list: JSON?) -> [String] {
  (list?.arrayValue ?? []).map { $0["path"]?.stringValue ?? "" }
}

/// A list of entries with one more, in the order in which another list has them, so that it does not
/// matter who is entered first; those that the other list lacks come last.
///
/// - Parameters:
///   - path: The path of the new one.
///   - entries: The entries that are there.
///   - model: The other list; the new entry is the one of this path there, as it stands.
/// - Returns: The new list; nil when the path is in it already.
func entering(_ path: String, into entries: [JSON], like model: JSON?) -> [JSON]? {
  if listed(.array(entries)).contains(path) { return nil }
  let order = listed(model)
  let known = (model?.arrayValue ?? []).first { $0["path"]?.stringValue == path }
  let rank: (JSON) -> Int = { entry in
    order.firstIndex(of: entry["path"]?.stringValue ?? "") ?? order.count
  }
  let added: JSON = known ?? ["path": .string(path)]
  let place = entries.firstIndex { rank($0) > rank(added) } ?? entries.count
  var all = entries
  all.insert(added, at: place)
  return all
}
