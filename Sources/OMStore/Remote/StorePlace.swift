package import OMJSON

/// What a URI leads to, on this machine or on a server: a store, and a key in it.
package struct StorePlace: Sendable {
  /// The folder, the archive or the server.
  package let store: any Store
  /// The key in an archive; empty for all of it, and elsewhere.
  package let key: String

  /// Opens what a URI leads to.
  ///
  /// - Parameters:
  ///   - uri: A path, `file://…`, `http://…`, `https://…` or `s3://…`.
  ///   - followLinks: Whether links may leave a folder.
  /// - Throws: `unsupported` for other URIs, and what opening gives.
  package init(_ uri: String, followLinks: Bool = false) throws(Fault) {
    if RemoteStore.takes(uri) {
      (store, key) = try Self.remote(uri)
      return
    }
    let path = try LocalPlace.path(
      of: uri, refusal: "only local paths, `http(s)://` and `s3://` can be read",
      hint: "copy the image to a local disk first")
    let place = try LocalPlace(path, followLinks: followLinks)
    (store, key) = (place.store, place.key)
  }

  /// A server, or an archive on it.
  ///
  /// A part of the path is an archive when its name says so; asking for everything above a key would cost
  /// a request each.
  private static func remote(_ uri: String) throws(Fault) -> (any Store, String) {
    let end = uri.firstIndex(of: "?") ?? uri.endIndex
    let (path, query) = (uri[..<end], uri[end...])
    var parts = path.split(separator: "/", omittingEmptySubsequences: false)
    guard
      let place = parts.indices.dropFirst(3).first(where: {
        let name = parts[$0].lowercased()
        return name.hasSuffix(".ozx") || name.hasSuffix(".zip")
      })
    else { return (try RemoteStore(uri), "") }
    let rest = parts[(place + 1)...].filter { !$0.isEmpty }.joined(separator: "/")
    let name = String(decoding: percentDecoded(parts[place]), as: UTF8.self)
    parts.removeSubrange(place...)
    let store = try RemoteStore(parts.joined(separator: "/") + query)
    let root = joined(store.description, name)
    do throws(Fault) {
      guard let stamp = try store.stamp(name), let file = try store.open(name) else {
        throw Fault(.missing, name, "there is no such archive")
      }
      let archive: ZipStore
      do {
        archive = try ZipStore(root: root, file, stamp)
      } catch {
        throw error.subject == root || error.subject == name ? error.about(name) : error.below(name)
      }
      let key =
        rest.isEmpty
        ? "" : try checkedKey(String(decoding: percentDecoded(rest), as: UTF8.self), subject: name)
      if !key.isEmpty, try !archive.isFolder(key), try archive.stamp(key) == nil {
        throw Fault(.missing, "\(name)/\(key)", "there is nothing of that name in the archive")
      }
      return (archive, key)
    } catch { throw error.below(store.description) }
  }

  private static func joined(_ root: String, _ name: String) -> String {
    root.hasSuffix("/") ? root + name : "\(root)/\(name)"
  }
}

extension Fault {
  /// The same fault about something else.
  fileprivate func about(_ subject: String) -> Fault {
    var copy = self
    copy.subject = subject
    return copy
  }
}
