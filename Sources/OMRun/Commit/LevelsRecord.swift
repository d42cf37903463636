import OMImage
import OMJSON
import OMStore

/// An image whose levels are to be replaced in its place.
struct LevelsNode: Sendable {
  /// Where the image is.
  let location: ImageLocation
  /// Its path below the image that holds the stage; empty for that image.
  let folder: String
  let version: OMEVersion
  /// What tells the finest level that was read from another one in its place.
  let finest: ValueStamp
  /// What changes in its metadata.
  let edit: LevelsEdit

  init(
    location: ImageLocation, home: ImageLocation, version: OMEVersion, finest: ValueStamp,
    edit: LevelsEdit
  ) {
    self.location = location
    self.version = version
    self.finest = finest
    self.edit = edit
    let path = location.path
    folder =
      home.path.isEmpty || path == home.path
      ? (path == home.path ? "" : path) : String(path.dropFirst(home.path.count + 1))
  }
}

/// `commit.json`: which new levels go under which names in place of which old ones.
///
/// It is written before the first of them moves, so that a run that was killed then can be finished, or
/// undone by `omtask clean`, by whoever finds it.
struct LevelsRecord: Sendable {
  /// An image and the names of its new levels but the finest.
  struct Change: Sendable {
    let node: LevelsNode
    let names: [String]

    /// The paths that its metadata list when the change is made.
    var paths: [String] { Array(node.edit.old.prefix(1)) + names }
  }

  let runID: String
  let changes: [Change]

  /// Its name in the stage.
  static let name = "commit.json"

  /// The bytes of the record.
  var bytes: [UInt8] {
    let document: JSONObject = [
      "run_id": .string(runID),
      "images": .array(
        changes.map { change in
          [
            "folder": .string(change.node.folder), "version": .string(change.node.version.rawValue),
            "names": .array(change.names.map(JSON.string)),
            "finest": .object(change.node.finest.json), "edit": .object(change.node.edit.json),
          ]
        }),
    ]
    return JSON.object(document).bytes(indent: 2)
  }

  init(runID: String, changes: [Change]) {
    self.runID = runID
    self.changes = changes
  }

  /// Reads the record of a stage.
  ///
  /// - Parameters:
  ///   - root: The folder of the stage.
  ///   - home: The image that holds the stage.
  /// - Returns: The record; nil when there is none that can be used.
  /// - Throws: What reading it gives.
  static func read(_ root: OutputFolder, home: ImageLocation) throws(Fault) -> LevelsRecord? {
    guard let bytes = try root.read(name, limit: JSON.maximumBytes),
      let json = try? JSON(parsing: bytes, subject: name), let id = json["run_id"]?.stringValue
    else { return nil }
    var changes: [Change] = []
    for image in json["images"]?.arrayValue ?? [] {
      guard let folder = image["folder"]?.stringValue,
        let version = image["version"]?.stringValue.flatMap(OMEVersion.init(rawValue:)),
        let names = image["names"]?.arrayValue?.compactMap(\.stringValue),
        let finest = image["finest"].flatMap({ ValueStamp($0) }),
        let edit = image["edit"].flatMap({ LevelsEdit($0) }),
        names.count == edit.transformations.count,
        (names + edit.old).allSatisfy({ (try? checkedKey($0, subject: name)) != nil }),
        folder.isEmpty || (try? checkedKey(folder, subject: name)) != nil
      else { return nil }
      let location = ImageLocation(store: home.store, path: joinedKey(home.path, folder))
      changes.append(
        Change(
          node: LevelsNode(
            location: location, home: home, version: version, finest: finest, edit: edit),
          names: names))
    }
    return changes.isEmpty ? nil : LevelsRecord(runID: id, changes: changes)
  }
}

extension ValueStamp {
  fileprivate var json: JSONObject {
    ["bytes": .number(String(size)), "modified": .number(String(modified))]
  }

  fileprivate init?(_ json: JSON) {
    guard let size = json["bytes"]?.intValue, let modified = json["modified"]?.intValue else {
      return nil
    }
    self.init(size: size, modified: modified)
  }
}
