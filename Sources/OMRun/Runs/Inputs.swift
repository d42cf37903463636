import OMImage
import OMJSON
import OMStore

/// The images of a run, in the order of the input; broken ones carry their fault.
struct Inputs: Sendable {
  struct Item: Sendable {
    let location: ImageLocation?
    let uri: String
    let fault: Fault?
    /// Which of the URIs of the request led here.
    var input = 0

    /// Where the image is.
    ///
    /// - Throws: Why it is broken.
    func found() throws(Fault) -> ImageLocation {
      if let location { return location }
      throw fault ?? Fault(.internal, uri, "the image has no place and no fault")
    }
  }

  private(set) var items: [Item] = []
  private(set) var warnings: [String] = []

  /// Finds the images of all inputs.
  ///
  /// *Local*.
  ///
  /// - Throws: A fault of kind `usage` for a filter that fits nothing.
  init(_ request: RunRequest) throws(Fault) {
    let options = request.options
    let filter = try WellFilter(wells: options.wells, acquisition: options.acquisition)
    for (input, uri) in request.inputs.enumerated() {
      do throws(Fault) {
        let source = try ImageSource.open(uri, filter: filter, followLinks: options.followLinks)
        warnings += source.warnings
        for item in source.items {
          items.append(
            Item(
              location: item.fault == nil ? item.location : nil, uri: item.location.displayName,
              fault: item.fault, input: input))
        }
      } catch {
        // With one input only there is nothing else to go on with.
        if request.inputs.count == 1 || error.kind == .usage { throw error }
        items.append(Item(location: nil, uri: shownURI(uri), fault: error, input: input))
      }
    }
  }

  /// Some of them, without the warnings about how all were found.
  func only(_ numbers: [Int]) -> Inputs {
    var some = self
    some.items = numbers.map { items[$0] }
    some.warnings = []
    return some
  }

  /// Finds the images on rank 0 and tells them to all ranks, so that a plate's metadata are read
  /// once.
  ///
  /// *Collective*.
  static func shared(
    _ request: RunRequest, _ engine: any Engine
  ) throws -> Inputs {
    if engine.rankCount == 1 { return try Inputs(request) }
    let found = try engine.agree { engine.rank == 0 ? try Inputs(request) : nil }
    let bytes = try engine.communicator.broadcast(
      found.map { Array($0.encoded().text().utf8) } ?? [])
    // A rank that cannot open an image's store must not leave the others waiting.
    return try engine.agree {
      if let found { return found }
      return try Inputs(
        decoding: JSON(parsing: bytes, subject: "the list of images"), of: request)
    }
  }

  private func encoded() -> JSON {
    .array(
      items.map { item in
        var object: JSONObject = ["uri": .string(item.uri)]
        if let location = item.location {
          object["root"] = .string(location.store.description)
          // What such a URI holds besides may be secret, so each rank takes it from its own words.
          let isRemote = RemoteStore.takes(location.store.description)
          object["remote"] = isRemote ? JSON(item.input) : nil
          object["archive"] = (location.store as? ZipStore)?.archiveStamp.encoded
          object["tiff"] = (location.store as? TiffStore).map(Inputs.state)
          object["path"] = .string(location.path)
          object["field"] = location.field?.encoded()
          object["member"] = .bool(location.isMember)
        }
        if let fault = item.fault { object["fault"] = fault.encoded() }
        return .object(object)
      })
  }

  private init(decoding json: JSON, of request: RunRequest) throws(Fault) {
    var stores: [String: any Store] = [:]
    for entry in json.arrayValue ?? [] {
      let uri = entry["uri"]?.stringValue ?? ""
      let fault = try entry["fault"].map { (json) throws(Fault) in try Fault(decoding: json) }
      var location: ImageLocation?
      if let root = entry["root"]?.stringValue, let path = entry["path"]?.stringValue {
        let remote = entry["remote"]?.intValue
        let name = remote.map { "\($0) \(root)" } ?? root
        let known = stores[name]
        let store =
          if let known { known } else {
            try Inputs.open(
              root, remote: remote.map { request.inputs[$0] }, archive: entry["archive"],
              tiff: entry["tiff"], followLinks: request.options.followLinks)
          }
        stores[name] = store
        location = ImageLocation(
          store: store, path: path, field: entry["field"].flatMap(ImageLocation.Field.init),
          isMember: entry["member"]?.boolValue ?? false)
      }
      items.append(Item(location: location, uri: uri, fault: fault))
    }
  }
}

extension Inputs {
  /// The hierarchy that a URI of a server names, as rank 0 takes it: that around a JSON file.
  private static func folder(of uri: String) -> String {
    guard uri.hasSuffix(".json"), let slash = uri.lastIndex(of: "/") else { return uri }
    return String(uri[..<slash])
  }

  /// What tells TIFF files from others of the same names: a digest of sizes and times.
  private static func state(_ store: TiffStore) -> JSON {
    var bytes: [UInt8] = []
    for stamp in store.stamps {
      withUnsafeBytes(of: (stamp.size, stamp.modified)) { bytes += $0 }
    }
    return .string(hexadecimal(sha256(bytes)))
  }

  /// Opens the folder, the server or the archive that rank 0 has opened.
  private static func open(
    _ root: String, remote: String?, archive: JSON?, tiff: JSON?, followLinks: Bool
  ) throws(Fault) -> any Store {
    if let tiff {
      let store = try SourcePlace(root, followLinks: followLinks).store
      if (store as? TiffStore).map(state) != tiff {
        throw Fault(
          .locked, root, "is another file on this rank than on rank 0",
          hint: "run the command again when nobody changes it")
      }
      return store
    }
    // The hierarchy of an image in a bucket may begin above it; such a URI holds no secret.
    if remote != nil, archive == nil, root.hasPrefix("s3://") { return try RemoteStore(root) }
    let place = try remote.map { (uri) throws(Fault) in try StorePlace(folder(of: uri)) }
    if let place, place.store.description != root {
      throw Fault(
        .internal, root, "is `\(place.store.description)` on this rank",
        hint: "all ranks need the same command line and the same variables")
    }
    guard let archive else {
      if let place { return place.store }
      return try FileStore(root: root, followLinks: followLinks)
    }
    let store: any Store
    if let place { store = place.store } else { store = try ZipStore(path: root) }
    if (store as? ZipStore)?.archiveStamp.encoded != archive {
      throw Fault(
        .locked, root, "is another archive on this rank than on rank 0",
        hint: "run the command again when nobody replaces the archive")
    }
    return store
  }
}

extension ValueStamp {
  /// The stamp as a message between ranks.
  fileprivate var encoded: JSON { [JSON(size), JSON(modified)] }
}

extension ImageLocation.Field {
  /// The place as a message between ranks.
  fileprivate func encoded() -> JSON {
    var object: JSONObject = [
      "row": .string(row), "column": .string(column), "name": .string(name),
    ]
    object["acquisition"] = acquisition.map { JSON($0) }
    return .object(object)
  }

  /// Reads what `encoded` wrote.
  fileprivate init?(_ json: JSON) {
    guard let row = json["row"]?.stringValue, let column = json["column"]?.stringValue,
      let name = json["name"]?.stringValue
    else { return nil }
    self.init(
      row: row, column: column, name: name, acquisition: json["acquisition"]?.intValue)
  }
}
