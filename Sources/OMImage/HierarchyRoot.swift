import OMJSON
import OMStore

/// The folder that a URI names, as a store of the whole hierarchy it belongs to; an archive is a whole
/// hierarchy.
///
/// An image of a plate is opened as part of the plate, because the plate may hold a copy of its
/// metadata that has to change with it.
struct HierarchyRoot {
  /// The whole hierarchy.
  let store: any Store
  /// The key of the folder in it; empty when the folder is the root.
  let path: String

  /// Opens the folder that a URI names.
  ///
  /// On a web server nothing above the URI is looked for: nothing there is ever changed.
  ///
  /// - Throws: `unsupported` for a URI of an unknown kind, `missing` when nothing is there.
  init(uri: String, followLinks: Bool) throws(Fault) {
    let place = try SourcePlace(uri, followLinks: followLinks)
    if Bucket(place.store) != nil {
      (store, self.path) = try Self.root(above: place.store)
      return
    }
    guard var folder = place.store as? FileStore else {
      (store, self.path) = (place.store, place.key)
      return
    }
    var path: [Substring] = []
    var rest = folder.root[...]
    // No hierarchy of OME-Zarr is deeper; a plate has two levels above its images.
    for _ in 0..<Self.deepest {
      guard let slash = rest.lastIndex(of: "/"), slash > rest.startIndex else { break }
      let name = rest[rest.index(after: slash)...]
      rest = rest[..<slash]
      guard let parent = try? FileStore(root: String(rest), followLinks: followLinks),
        Self.isGroup(parent)
      else { break }
      folder = parent
      path.insert(name, at: 0)
    }
    store = folder
    self.path = path.joined(separator: "/")
  }

  /// Opens the folder that a URI names, or the one around a JSON file.
  ///
  /// - Returns: The folder, and the name of the file; nil for a folder, and for `zarr.json`, which
  ///   stands for its folder.
  /// - Throws: As `init`.
  static func opening(
    _ uri: String, followLinks: Bool
  ) throws(Fault) -> (root: HierarchyRoot, file: String?) {
    if uri.hasSuffix(".json") {
      let slash = uri.lastIndex(of: "/")
      let folder = slash.map { String(uri[..<$0]) } ?? "."
      let name = slash.map { String(uri[uri.index(after: $0)...]) } ?? uri
      let root = try HierarchyRoot(
        uri: folder.isEmpty ? "/" : folder, followLinks: followLinks)
      // Servers need not know folders; nobody calls an OME-Zarr there a JSON file.
      let isFile =
        if root.store.isRemote { true } else {
          try !root.store.isFolder(joinedKey(root.path, name))
        }
      if isFile { return (root, name == "zarr.json" ? nil : name) }
    }
    return (try HierarchyRoot(uri: uri, followLinks: followLinks), nil)
  }

  private static let deepest = 8

  /// The hierarchy that a place in a bucket belongs to, and the key of the place in it.
  private static func root(
    above place: any Store
  ) throws(Fault) -> (store: any Store, path: String) {
    var (found, path) = (place, [Substring]())
    for _ in 0..<deepest {
      let uri = found.description
      // The bucket itself is the last that can be one.
      guard uri.split(separator: "/").count > 2, let slash = uri.lastIndex(of: "/") else { break }
      let parent = try RemoteStore(String(uri[..<slash]))
      var isGroup = false
      do throws(Fault) {
        for name in ["zarr.json", ".zgroup"] where !isGroup {
          isGroup = try parent.stamp(name) != nil
        }
      } catch {
        // What is not for everybody to see is none of the image's; a broken server is told of.
        if error.kind == .remote {
          var fault = error
          fault.subject = place.description
          throw fault
        }
      }
      if !isGroup { break }
      found = parent
      path.insert(uri[uri.index(after: slash)...], at: 0)
    }
    return (found, path.joined(separator: "/"))
  }

  /// Whether a folder is a Zarr group; one that cannot be read does not count.
  private static func isGroup(_ folder: FileStore) -> Bool {
    [".zgroup", "zarr.json"].contains { key in
      ((try? folder.stamp(key)) ?? nil) != nil
    }
  }
}
