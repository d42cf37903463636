package import OMJSON
package import OMStore

/// The documents of a plate that is made of another one, image by image.
///
/// Rows, columns, acquisitions and all that nobody here knows are those of the other plate. A well is
/// listed with its first image, so what is listed is there.
package struct PlateList: Sendable {
  /// The plate and the well that the image was made of.
  package let field: PlateField
  /// The version of OME-Zarr to write.
  package let version: OMEVersion
  /// The name of the new plate.
  package let name: String

  /// Describes a plate.
  package init(_ field: PlateField, version: OMEVersion, name: String) {
    self.field = field
    self.version = version
    self.name = name
  }

  /// What says, in our record of a group, that it is a plate of ours.
  package static let mark = "plate_of"

  /// The documents of the plate before any image is there: a group of ours, and no plate yet.
  ///
  /// - Parameter source: The plate that it is made of.
  /// - Returns: Documents with keys below the plate.
  package func root(source: String) -> [MetadataDocument] {
    groupDocuments(
      "", zarrFormat: version.zarrFormat,
      attributes: ["omtask": [Self.mark: .string(source)]])
  }

  /// The documents of a row, and those that make the folder of a well a group.
  package func row() -> [MetadataDocument] {
    groupDocuments("", zarrFormat: version.zarrFormat, attributes: JSONObject())
  }

  /// The document of the well with the image.
  ///
  /// - Parameters:
  ///   - bytes: The document; nil when there is none.
  ///   - subject: The document, for messages.
  /// - Returns: The new document; nil when it lists the image already.
  /// - Throws: `json` or `metadata` when the document cannot be read.
  package func well(_ bytes: [UInt8]?, subject: String) throws(Fault) -> [UInt8]? {
    try changed(bytes, subject, "well", like: field.wellDocument) { well in
      guard
        let images = entering(
          field.name, into: well["images"]?.arrayValue ?? [], like: field.wellDocument["images"])
      else { return false }
      well["images"] = .array(images)
      return true
    }
  }

  /// The document of the plate with the well.
  ///
  /// - Parameters:
  ///   - bytes: The document.
  ///   - images: How many images the well lists by now.
  ///   - subject: The document, for messages.
  /// - Returns: The new document; nil when nothing is to be changed.
  /// - Throws: `json` or `metadata` when the document cannot be read.
  package func plate(
    _ bytes: [UInt8]?, images: Int, subject: String
  ) throws(Fault) -> [UInt8]? {
    try changed(bytes, subject, "plate", like: field.plateDocument) { plate in
      var isChanged = false
      if let wells = entering(
        field.well, into: plate["wells"]?.arrayValue ?? [], like: field.plateDocument["wells"])
      {
        plate["wells"] = .array(wells.map(indexed))
        isChanged = true
      }
      // The most images of a well, as far as there are images.
      if field.plateDocument["field_count"] != nil, images > plate["field_count"]?.intValue ?? 0 {
        plate["field_count"] = JSON(images)
        isChanged = true
      }
      return isChanged
    }
  }

  /// A well with the places of its row and column, which versions before 0.4 do not know.
  private func indexed(_ well: JSON) -> JSON {
    guard version.form >= .v0_4, var entry = well.objectValue,
      let parts = entry["path"]?.stringValue?.split(separator: "/"), parts.count == 2
    else { return well }
    for (key, list, name) in [("rowIndex", "rows", parts[0]), ("columnIndex", "columns", parts[1])]
    where entry[key] == nil {
      let names = field.plateDocument[list]?.arrayValue ?? []
      entry[key] = names.firstIndex { $0["name"]?.stringValue == String(name) }.map { JSON($0) }
    }
    return .object(entry)
  }

  /// Changes the object `key` of a document, which is made like the model where it is missing.
  private func changed(
    _ bytes: [UInt8]?, _ subject: String, _ key: String, like model: JSONObject,
    _ change: (inout JSONObject) -> Bool
  ) throws(Fault) -> [UInt8]? {
    var document = JSONObject()
    if let bytes {
      let json = try JSON(parsing: bytes, subject: subject, lenient: true)
      guard let object = json.objectValue else {
        throw Fault(.metadata, subject, "the document is \(json.kindName), expected an object")
      }
      document = object
    } else if version.zarrFormat == 3 {
      document = ["zarr_format": 3, "node_type": "group"]
    }
    var attributes = document
    if version.zarrFormat == 3 {
      attributes = document["attributes"]?.objectValue ?? JSONObject()
    }
    var ome = attributes
    if version.zarrFormat == 3 {
      ome = attributes["ome"]?.objectValue ?? ["version": .string(version.rawValue)]
    }
    var object = ome[key]?.objectValue ?? empty(key, like: model)
    guard change(&object) else { return nil }
    ome[key] = .object(object)
    if version.zarrFormat == 3 {
      attributes["ome"] = .object(ome)
      document["attributes"] = .object(attributes)
    } else {
      document = ome
    }
    return JSON.object(document).bytes(indent: 2)
  }

  /// The object of another plate or well without what it lists.
  private func empty(_ key: String, like model: JSONObject) -> JSONObject {
    var object = model
    object["version"] = version.repeatsVersionInside ? .string(version.rawValue) : nil
    if key == "well" {
      object["images"] = []
    } else {
      object["name"] = .string(name)
      object["wells"] = []
      if object["field_count"] != nil { object["field_count"] = 0 }
    }
    return object
  }
}

extension PlateList {
  /// Whether a plate lists a well that lists an image.
  ///
  /// - Throws: What reading gives; the subject is a key of the store.
  package static func lists(
    _ name: String, well: String, in store: any Store
  ) throws(Fault) -> Bool {
    guard let group = try OMEGroup.read(store, path: ""),
      listed(group.keys["plate"]?["wells"]).contains(well)
    else { return false }
    return try WellList.lists(name, well: well, in: store)
  }

  /// How many images a well lists.
  package static func imageCount(
    well: String, in store: any Store
  ) throws(Fault) -> Int {
    listed(try OMEGroup.read(store, path: well)?.keys["well"]?["images"]).count
  }

  /// What keeps an image from being entered in a plate that is there; nil when nothing does.
  ///
  /// - Returns: What is wrong with the plate, behind its path.
  /// - Throws: What reading gives; the subject is a key of the store.
  package func problem(in store: any Store) throws(Fault) -> String? {
    guard let group = try OMEGroup.read(store, path: ""), group.record?[Self.mark] != nil else {
      return "is there already, and is no plate that omtask made"
    }
    let path = group.record?[Self.mark]?.stringValue ?? ""
    if group.zarrFormat != version.zarrFormat {
      return "is there already, stored as Zarr v\(group.zarrFormat), "
        + "OME-Zarr \(version.rawValue) is Zarr v\(version.zarrFormat)"
    }
    guard let plate = group.keys["plate"] else { return nil }
    for key in ["rows", "columns"] where plate[key] != field.plateDocument[key] {
      return "is there already, made of `\(path)`, whose \(key) are others"
    }
    return nil
  }
}
