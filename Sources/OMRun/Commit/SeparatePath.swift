import OMImage
import OMJSON
import OMStore
import OMStore

/// The path of a new OME-Zarr, cut into the folder that holds it and its name, and where it is staged.
struct SeparatePath: Sendable {
  let parent: String
  let name: String
  /// The folder that holds the folder of stages: there before anything is made.
  let stageHolder: String
  /// The name of the folder of stages.
  let stages: String
  /// How messages call it.
  let flag: String

  /// Cuts a URI.
  ///
  /// - Parameters:
  ///   - uri: The URI.
  ///   - flag: How messages call it.
  /// - Throws: `unsupported` for what is not a local path, `path` when it names no new folder.
  init(_ uri: String, called flag: String = "`--output`") throws(Fault) {
    self.flag = flag
    var path = fileURLPath(uri) ?? uri
    if path.contains("://") {
      throw Fault(
        .unsupported, shownURI(uri),
        "results can be written to local folders and to buckets (`s3://`)")
    }
    while path.count > 1 && path.hasSuffix("/") { path.removeLast() }
    let slash = path.lastIndex(of: "/")
    name = slash.map { String(path[path.index(after: $0)...]) } ?? path
    let folder = slash.map { String(path[..<$0]) } ?? "."
    parent = folder.isEmpty ? "/" : folder
    stageHolder = parent
    stages = SeparatePath.stages(of: name)
    if [".", "..", ""].contains(name) {
      throw Fault(
        .path, uri, "\(flag) names no new folder", hint: "give a path such as out.zarr")
    }
    // Such a folder would be taken for a document of the group it lies in.
    if ["zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata"].contains(name.lowercased()) {
      throw Fault(
        .path, uri, "\(flag) has the name of a metadata document",
        hint: "give a path such as out.zarr")
    }
    if name.utf8.count > SeparatePath.longest {
      throw Fault(
        .path, uri,
        "\(flag) has a name of \(name.utf8.count) bytes, the limit is \(SeparatePath.longest)",
        hint: "give a shorter one")
    }
  }

  /// The path of a new OME-Zarr beside an image.
  init(beside image: ImageLocation, name: String) throws(Fault) {
    let path = image.displayName
    let folder = path.lastIndex(of: "/").map { path[...$0] } ?? ""
    try self.init(folder + name)
  }

  /// The path of an image in a well of a new plate; it is staged beside the plate, so that nothing
  /// unfinished ever lies in it.
  init(_ name: String, inWell well: String, of plate: SeparatePath) {
    self.name = name
    flag = plate.flag
    parent = "\(plate.uri)/\(well)"
    stageHolder = plate.parent
    stages = plate.stages
  }

  /// The name of a new OME-Zarr, on a disk or in a bucket.
  static func name(of uri: String) throws(Fault) -> String {
    if !RemoteStore.takes(uri) { return try SeparatePath(uri).name }
    return uri.split(separator: "/").last.map(String.init) ?? uri
  }

  var uri: String { parent == "." ? name : parent == "/" ? "/\(name)" : "\(parent)/\(name)" }

  /// Whether an archive is made, and no folder.
  var isArchive: Bool { ZipStore.isOZX(name) }

  /// The path of the folder that holds the result, below the one that holds the stages; empty for that.
  var folder: String {
    if parent == stageHolder { return "" }
    if stageHolder == "." { return parent }
    return String(parent.dropFirst(stageHolder.count).drop { $0 == "/" })
  }

  /// The name of the folder that holds the lock of the place, in the folder that holds the result.
  var lockFolder: String { SeparatePath.stages(of: name) }

  /// The longest name of a file on common disks, in bytes.
  private static let longest = 255

  /// The name of the hidden folder of something: its own name where there is room for that.
  static func stages(of name: String) -> String {
    let whole = ".\(name)\(ImageCommitter.folder)"
    if whole.utf8.count <= longest { return whole }
    var start = name[...]
    while start.utf8.count > longest - 48 { start.removeLast() }
    let digest = hexadecimal(sha256(Array(name.utf8))).prefix(16)
    return ".\(start)~\(digest)\(ImageCommitter.folder)"
  }
}
