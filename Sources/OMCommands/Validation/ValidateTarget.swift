import Glibc
import OMJSON
import OMStore
import OMValidate

/// What `omtask validate` is given: a folder, or one metadata file.
struct ValidateTarget {
  private let uri: String
  private let path: String

  /// Makes a target.
  ///
  /// - Throws: `unsupported` for what is not a local folder or file.
  init(_ uri: String) throws(Fault) {
    self.uri = uri
    let scheme = "file://"
    path = uri.hasPrefix(scheme) ? String(uri.dropFirst(scheme.count)) : uri
    if path.contains("://") {
      throw Fault(
        .unsupported, uri, "only local folders and files can be validated",
        hint: "copy the image to a local disk first")
    }
    if [".zip", ".ozx"].contains(where: path.hasSuffix) {
      throw Fault(
        .unsupported, uri, "zip files cannot be validated", hint: "unpack it into a folder first")
    }
  }

  /// Judges it.
  ///
  /// - Throws: `missing` when there is nothing, `permission` or `io` when it cannot be opened.
  func verdict(_ validator: Validator, _ context: CommandContext) throws(Fault) -> Verdict {
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
      return validator.validate(try FileStore(root: path))
    }
    let bytes = try context.read(path)
    let (folder, name) = parts
    // What a collection names lies beside it.
    if !["zarr.json", ".zattrs"].contains(name), path != "-", Validator.isCollection(bytes) {
      return validator.validate(try FileStore(root: folder), document: name)
    }
    return validator.validate(document: bytes, name: path == "-" ? "standard input" : name)
  }

  /// The folder that holds the file, and the name of the file.
  private var parts: (folder: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let folder = String(path[..<slash])
    return (folder.isEmpty ? "/" : folder, String(path[path.index(after: slash)...]))
  }
}
