import OMImage
import OMJSON
import OMStore
import OMZarr

/// Where results may go: what `--output` may name: a place apart from the input, free or holding nothing but results of ours.
enum OutputRules {
  /// Refuses an output that is, holds or lies in the hierarchy that is read.
  static func checkApart(_ output: SeparatePath, _ input: ImageLocation) throws(Fault) {
    if let (archive, _) = try LocalPlace.archive(in: output.parent) {
      throw Fault(
        .path, output.uri, "lies in the archive `\(archive)`, and archives are only read",
        hint: "give a path outside of it")
    }
    let parent = try FileStore(root: output.parent).root
    let path = parent == "/" ? "/\(output.name)" : "\(parent)/\(output.name)"
    let root = hierarchy(of: input)
    let relation: String
    if path == root {
      relation = "is the input itself"
    } else if let files = input.store as? TiffStore, files.holds(path) {
      relation = "is one of the files of the input `\(root)`"
    } else if path.hasPrefix(root + "/") {
      relation = "lies in the input `\(root)`"
    } else if root.hasPrefix(path + "/") {
      relation = "holds the input `\(root)`"
    } else {
      if output.isArchive, let root = hierarchy(around: parent) {
        throw Fault(
          .path, output.uri, "lies in the OME-Zarr `\(root)`, where RFC-9 allows no archive",
          hint: "give a path outside of it")
      }
      return
    }
    throw Fault(
      .path, output.uri, "\(output.flag) \(relation)",
      hint: "give a path outside of it"
        + (input.store.folder != nil && output.flag == "`--output`"
          ? ", or leave `--output` out to write into the image" : ""))
  }

  /// The path of the hierarchy that an image belongs to; the folder of a collection need not be one.
  static func hierarchy(of image: ImageLocation) -> String {
    var groups = KnownGroups()
    return hierarchy(of: image, &groups)
  }

  /// The same for one of many images, which share the groups above them.
  static func hierarchy(of image: ImageLocation, _ groups: inout KnownGroups) -> String {
    if image.store.folder == nil || groups.has(image.store, "") { return image.store.description }
    var key = image.path
    while let slash = key.lastIndex(of: "/"), groups.has(image.store, String(key[..<slash])) {
      key = String(key[..<slash])
    }
    return joinedKey(image.store.description, key)
  }

  /// Where groups are, each looked up once: the document of a plate grows with its wells.
  struct KnownGroups {
    private var known: [String: Bool] = [:]

    /// Whether a group is at a key.
    mutating func has(_ store: any Store, _ key: String) -> Bool {
      let place = joinedKey(store.description, key)
      if let known = known[place] { return known }
      let found = ((try? ZarrGroup.open(store, path: key)) ?? nil) != nil
      known[place] = found
      return found
    }
  }

  /// Refuses to write into a store that is only read.
  ///
  /// - Parameters:
  ///   - image: The image.
  ///   - inPlace: Whether the task changes the image itself.
  /// - Throws: A fault of kind `permission` with the way out.
  static func checkWritable(_ image: ImageLocation, inPlace: Bool) throws(Fault) {
    if image.store.folder != nil { return }
    let archive = image.store.description
    if Bucket(image.store) != nil {
      if !inPlace { return }
      throw Fault(
        .permission, image.displayName, "levels of an image in a bucket are not replaced",
        hint:
          "`omtask run convert \(image.displayName) --output FOLDER.zarr`, then run the task there")
    }
    if image.store.isRemote { throw readOnlyServer(image.displayName, inPlace: inPlace) }
    if image.store is TiffStore {
      throw Fault(
        .permission, image.displayName,
        "results cannot be written into TIFF files, which are only ever read",
        hint: inPlace
          ? "`omtask run convert \(image.displayName) --output FOLDER.zarr`, then run the task there"
          : "`--output out.zarr` puts the result elsewhere")
    }
    throw Fault(
      .permission, image.displayName,
      "results cannot be written into an archive, which is only ever read",
      hint: inPlace
        ? "`omtask unpack \(archive) FOLDER.zarr`, run the task there, then `omtask pack`"
        : "`--output out.zarr` puts the result elsewhere, `--output out.ozx` into a new archive")
  }

  /// The fault of results that would go to a web server, or into an archive on a server.
  static func readOnlyServer(_ uri: String, inPlace: Bool) -> Fault {
    Fault(
      .permission, uri, "results cannot be written to a server, which is only ever read",
      hint: inPlace
        ? "`omtask run convert \(uri) --output FOLDER.zarr`, then run the task there"
        : "`--output out.zarr` puts the result elsewhere, `--output out.ozx` into an archive")
  }

  /// Refuses a new plate in a bucket, which is made image by image.
  static func checkNewPlate(_ uri: String) throws(Fault) {
    if !RemoteStore.takes(uri) { return }
    throw Fault(
      .unsupported, shownURI(uri), "a new plate is made in a local folder only",
      hint: "`--output plate.zarr`, then copy it into the bucket")
  }

  /// Refuses what cannot be put into a new archive.
  ///
  /// - Parameters:
  ///   - output: The output.
  ///   - setup: What is made.
  /// - Throws: A fault of kind `usage` or `unsupported` with the way out.
  static func checkArchive(_ output: SeparatePath, _ setup: ImageSetup) throws(Fault) {
    if !output.isArchive { return }
    if setup.newPlate != nil {
      throw Fault(
        .usage, output.uri, "a new plate is made image by image, which an archive does not allow",
        hint: "write it into a folder, then `omtask pack` it")
    }
    if setup.outputKind == .table {
      throw Fault(
        .usage, output.uri, "a table by itself is no OME-Zarr, as an archive must hold",
        hint: "write it into a folder")
    }
    if setup.version.zarrFormat == 2 {
      throw Fault(
        .unsupported, output.uri,
        "the result is OME-Zarr \(setup.version.rawValue), an .ozx holds 0.5 or later",
        hint: "`omtask run convert \(setup.image.location.displayName) --output FILE.ozx "
          + "--ome-version 0.5` makes one of the image; or write into a folder")
    }
  }

  /// The hierarchy that a folder is or lies in; nil when it is in none.
  private static func hierarchy(around folder: String) -> String? {
    var here = folder[...]
    for _ in 0..<16 {
      guard let store = try? FileStore(root: here.isEmpty ? "/" : String(here)) else { return nil }
      for name in ["zarr.json", ".zgroup", ".zarray"]
      where ((try? store.stamp(name)) ?? nil) != nil {
        return store.root
      }
      guard let slash = here.lastIndex(of: "/") else { return nil }
      here = here[..<slash]
    }
    return nil
  }

  /// Refuses to replace anything that omtask did not make.
  ///
  /// - Parameters:
  ///   - output: The output, which exists.
  ///   - names: The images or tables to be written.
  ///   - shelf: What they are.
  ///   - path: Where it lies now; nil in its place.
  /// - Throws: A fault of kind `exists` that names what is in the way.
  static func checkOwn(
    _ output: SeparatePath, _ names: [String], _ shelf: Shelf, in path: String? = nil
  ) throws(Fault) {
    let place = try SeparatePath(path ?? output.uri)
    let kind = try OutputFolder(path: place.parent).kind(of: place.name)
    if kind != (output.isArchive ? .file : .folder) { throw foreign(output, nil) }
    let store: any Store
    if output.isArchive {
      // One that cannot be read is not known to be ours.
      guard let archive = try? ZipStore(path: place.uri) else { throw foreign(output, nil) }
      store = archive
    } else {
      store = try FileStore(root: place.uri)
    }
    let documents: Set<String> = ["zarr.json", ".zgroup", ".zattrs"]
    for path in SeparateOutput.paths(names) {
      let group = try? ZarrGroup.open(store, path: path)
      if group?.attributes["omtask"] == nil { throw foreign(output, nil) }
      try refuse(output, try store.list(path), besides: documents, path) {
        shelf == .tables ? tableEntries.contains($0) : LabelDocuments.isLevelPath($0)
      }
    }
    guard names.count > 1 else { return }
    try refuse(output, try store.list(""), besides: documents.union(["labels"]), "") { _ in false }
    try refuse(output, try store.list("labels"), besides: documents.union(names), "labels") { _ in
      false
    }
  }

  /// What lies in the group of a table.
  private static let tableEntries: Set<String> = ["X", "obs", "var", "table", "table.csv"]

  private static func refuse(
    _ output: SeparatePath, _ entries: [String], besides known: Set<String>, _ folder: String,
    unless isOurs: (String) -> Bool
  ) throws(Fault) {
    for entry in entries where !known.contains(entry) && !isOurs(entry) {
      throw foreign(output, joinedKey(folder, entry))
    }
  }

  private static func foreign(_ output: SeparatePath, _ entry: String?) -> Fault {
    Fault(
      .exists, output.uri,
      entry.map { "is there already and holds `\($0)`, which is not of this result" }
        ?? "is there already, and omtask did not make it",
      hint: "give another path; `--overwrite` replaces results of omtask only")
  }
}
