import Glibc
import OMImage
import OMJSON
import OMManifest
import OMStore
import OMTask

/// What the first program of a task is told: the images of the call, and the folder for new ones.
struct ProgramCall: Sendable {
  /// The folder that new images go into, `zarr_dir`: an absolute path without links.
  let folder: String
  /// The images, in the order of the call.
  private(set) var images: [String] = []
  /// The plates or images outside plates that they are or lie in, by their paths.
  private(set) var hierarchies: [String] = []
  /// The images that are not given to it, each with the reason.
  private(set) var skipped: [(uri: String, note: String)] = []
  private let takesImages: Bool

  /// The arguments that Fractal's server sets.
  var reserved: JSONObject {
    var reserved = JSONObject()
    if takesImages { reserved["zarr_urls"] = .array(images.map(JSON.string)) }
    reserved["zarr_dir"] = .string(folder)
    return reserved
  }

  /// The folders that a program may want to see.
  var rooms: [String] {
    let all = [folder] + hierarchies.map(enclosingFolder)
    var rooms: [String] = []
    for room in all where !rooms.contains(room) { rooms.append(room) }
    return rooms
  }

  /// Finds out what the program is told; nothing is written.
  ///
  /// *Local*.
  ///
  /// - Throws: A fault of kind `usage` when the folder is not plain, `missing`, `path` or `permission`
  ///   when it is no folder, and why an image cannot be read: all are given to one program.
  init(_ request: RunRequest, _ inputs: Inputs) throws(Fault) {
    let locations = try inputs.items.map { (item) throws(Fault) in
      let location: ImageLocation
      do throws(Fault) {
        location = try item.found()
      } catch {
        var fault = error
        fault.facts.append("one program is given all images, so none may be broken")
        throw fault
      }
      if location.store.folder != nil { return location }
      throw Fault(
        .unsupported, item.uri, "programs that do whole images need a folder",
        hint: "`omtask unpack` makes one of an archive")
    }
    takesImages = request.manifest.takesImages
    folder = try Self.folder(request, locations)
    // Names that differ in their bytes are of different folders.
    var seen: Set<[UInt8]> = []
    for location in locations {
      let url = location.displayName
      guard seen.insert(Array(url.utf8)).inserted else { continue }
      if location.field != nil, let image = try? OMEImage.open(location),
        let refusal = ImageSetup.refusal(request.manifest, ImageSetup.knownTypes(of: image))
      {
        skipped.append((url, refusal))
        continue
      }
      images.append(url)
      let root = location.store.description
      if hierarchies.last != root { hierarchies.append(root) }
    }
    hierarchies = Set(hierarchies).sorted()
  }

  private static func folder(
    _ request: RunRequest, _ locations: [ImageLocation]
  ) throws(Fault) -> String {
    let path: String
    if let output = request.options.output {
      path = try LocalPlace.path(
        of: output, refusal: "new images can only be written to local folders")
    } else {
      let rooms = Set(locations.map(\.room)).sorted()
      guard let room = rooms.first else {
        throw Fault(
          .usage, "", "\(request.manifest.identifier) is not told where new images go",
          hint: "`--output DIR` names the folder")
      }
      if rooms.count > 1 {
        throw Fault(
          .usage, "", "the images lie in \(rooms.count) folders, such as \(room) and \(rooms[1])",
          hint: "`--output DIR` names the folder that new images go into")
      }
      path = room
    }
    let what = "is to be the folder that new images go into (`zarr_dir`)"
    let hint = "`--output DIR` names a folder that exists; images get names of their own in it"
    guard let known = realpath(path, nil) else {
      let error = errno
      let kind: FaultKind = error == ENOENT || error == ENOTDIR ? .missing : .permission
      throw Fault(kind, path, "\(what): \(String(cString: strerror(error)))", hint: hint)
    }
    defer { free(known) }
    let whole = String(cString: known)
    var status = stat()
    guard stat(whole, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw Fault(.path, path, "\(what), and is a file", hint: hint)
    }
    for name in ["zarr.json", ".zgroup", ".zarray"] where access("\(whole)/\(name)", F_OK) == 0 {
      throw Fault(.path, path, "\(what), and is an OME-Zarr itself", hint: hint)
    }
    return whole
  }

  /// The paths of whose places the locks are held: of the plates, or images outside plates.
  var places: [SeparatePath] {
    get throws(Fault) { try hierarchies.map { (path) throws(Fault) in try SeparatePath(path) } }
  }

  /// The deepest folder on the way to an image that is there.
  ///
  /// - Parameter url: The address.
  /// - Returns: Its path; nil for what is not on this disk.
  static func existing(on url: String) -> String? {
    guard url.hasPrefix("/") else { return nil }
    var path = url
    while path != "/" && access(path, F_OK) != 0 { path = enclosingFolder(path) }
    return path
  }
}

/// The folder that something lies in.
private func enclosingFolder(_ path: String) -> String {
  let slash = path.lastIndex(of: "/") ?? path.startIndex
  return slash == path.startIndex ? "/" : String(path[..<slash])
}
