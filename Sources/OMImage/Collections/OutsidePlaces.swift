import OMJSON
import OMStore

/// Places that a collection names outside of its own hierarchy, where that is allowed.
///
/// Stores hold a folder open, so images that lie side by side share the one of the folder around them.
struct OutsidePlaces {
  private var stores: [String: FileStore] = [:]
  /// How many places there were.
  private(set) var count = 0

  /// The store and the key of a place.
  ///
  /// - Parameters:
  ///   - path: The path as the document writes it: relative, absolute or with `file://`.
  ///   - folder: The folder of the document.
  ///   - isFile: Whether it is a file, not a folder.
  /// - Returns: Where it lies.
  /// - Throws: What opening the folder gives.
  mutating func place(
    _ path: String, from folder: String, isFile: Bool
  ) throws(Fault) -> (store: any Store, key: String) {
    var path = fileURLPath(path) ?? path
    if !path.hasPrefix("/") { path = joinedKey(folder, path) }
    var name: String?
    if isFile, let slash = path.lastIndex(of: "/") {
      name = String(path[path.index(after: slash)...])
      path = String(path[..<slash])
    }
    count += 1
    let root = try HierarchyRoot(uri: path, followLinks: true)
    guard let opened = root.store as? FileStore, let slash = opened.root.lastIndex(of: "/"),
      slash > opened.root.startIndex
    else { return (root.store, joinedKey(root.path, name ?? "")) }
    let parent = String(opened.root[..<slash])
    let store =
      if let known = stores[parent] { known } else {
        try FileStore(root: parent, followLinks: true)
      }
    stores[parent] = store
    let top = String(opened.root[opened.root.index(after: slash)...])
    return (store, joinedKey(joinedKey(top, root.path), name ?? ""))
  }
}
