package import OMJSON
package import OMStore
import OMTiff

/// What a URI leads to that images are read from: OME-Zarr, or TIFF files.
package struct SourcePlace: Sendable {
  /// The store.
  package let store: any Store
  /// The key in it; empty for all of it.
  package let key: String

  /// Opens what a URI leads to.
  ///
  /// - Parameters:
  ///   - uri: What `StorePlace` takes, the path of a TIFF file or of an image in one (`set.ome.tif/1`), or a
  ///     path with `{t}`, `{c}` or `{z}` that names many of them.
  ///   - followLinks: Whether links may leave the folder.
  /// - Throws: What opening it gives.
  package init(_ uri: String, followLinks: Bool = false) throws(Fault) {
    if let (tiff, key) = try SourcePlace.tiff(uri, followLinks) {
      (store, self.key) = (tiff, key)
      return
    }
    let place = try StorePlace(uri, followLinks: followLinks)
    (store, key) = (place.store, place.key)
  }

  /// The TIFF files that a URI names; nil when it names something else.
  private static func tiff(
    _ uri: String, _ followLinks: Bool
  ) throws(Fault) -> (TiffStore, String)? {
    let path = fileURLPath(uri) ?? uri
    if path.contains("://") { return nil }
    if let (file, key) = try LocalPlace.file(in: path) {
      guard TiffSet.isTiff(file) else { return nil }
      let store = try TiffStore(TiffSet(path: file, followLinks: followLinks))
      if !key.isEmpty, try !store.isFolder(key) {
        throw Fault(
          .missing, path, "there is no image of this number in the file",
          hint: "`omtask info \(file)` shows what is in it")
      }
      return (store, key)
    }
    // What exists is what it is, whatever its name.
    guard !LocalPlace.exists(path), let pattern = try TiffPattern(path) else { return nil }
    return (try TiffStore(TiffSet(pattern: pattern, followLinks: followLinks)), "")
  }
}
