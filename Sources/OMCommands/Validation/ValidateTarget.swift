import Glibc
import OMJSON
import OMStore
import OMValidate

/// What `omtask validate` is given: a folder, an archive, or one metadata file.
struct ValidateTarget {
  private let uri: String
  /// The path of what is local; empty for what a server holds.
  private let path: String

  /// Makes a target.
  ///
  /// - Throws: `unsupported` for URIs of an unknown kind.
  init(_ uri: String) throws(Fault) {
    self.uri = uri
    if RemoteStore.takes(uri) {
      path = ""
      return
    }
    path = try LocalPlace.path(
      of: uri, refusal: "only local paths, `http(s)://` and `s3://` can be validated",
      hint: "copy the image to a local disk first")
  }

  /// Judges it.
  ///
  /// - Throws: `missing` when there is nothing, `permission` or `io` when it cannot be opened, `limit` for
  ///   an archive of too many entries.
  func verdict(_ validator: Validator, _ context: CommandContext) throws(Fault) -> Verdict {
    if path.isEmpty { return try remoteVerdict(validator) }
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
      return validator.validate(try FileStore(root: path))
    }
    if path != "-", try LocalPlace.archive(in: path) != nil {
      do throws(Fault) {
        let place = try LocalPlace(path)
        return validator.validate(place.store, at: place.key)
      } catch {
        if [.missing, .permission, .io, .limit].contains(error.kind) { throw error }
        return validator.refused(error)
      }
    }
    let bytes = try context.read(path)
    let (folder, name) = parts
    // What a collection names lies beside it.
    if !["zarr.json", ".zattrs"].contains(name), path != "-", Validator.isCollection(bytes) {
      return validator.validate(try FileStore(root: folder), document: name)
    }
    return validator.validate(document: bytes, name: path == "-" ? "standard input" : name)
  }

  /// Judges what a server holds: a hierarchy, an archive, or a document whose name ends in `.json`.
  private func remoteVerdict(_ validator: Validator) throws(Fault) -> Verdict {
    let end = uri.firstIndex(of: "?") ?? uri.endIndex
    let names = uri[..<end].split(separator: "/")
    guard let name = names.last, name.hasSuffix(".json") || name == ".zattrs", names.count > 2
    else {
      let place = try StorePlace(uri)
      return validator.validate(place.store, at: place.key)
    }
    let folder = String(uri[..<end].dropLast(name.count + 1)) + uri[end...]
    let store = try RemoteStore(folder)
    let bytes: [UInt8]?
    do throws(Fault) { bytes = try store.get(String(name), limit: JSON.maximumBytes) } catch {
      throw error.below(store.description)
    }
    guard let bytes else { throw Fault(.missing, shownURI(uri), "there is no such document") }
    if !["zarr.json", ".zattrs"].contains(name), Validator.isCollection(bytes) {
      return validator.validate(store, document: String(name))
    }
    return validator.validate(document: bytes, name: String(name))
  }

  /// The folder that holds the file, and the name of the file.
  private var parts: (folder: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let folder = String(path[..<slash])
    return (folder.isEmpty ? "/" : folder, String(path[path.index(after: slash)...]))
  }
}
