import CTIFF
package import OMJSON
import OMStore

/// libtiff, which is loaded when it is wanted.
package enum TiffLibrary {
  /// Loads it, unless that has been done.
  ///
  /// - Throws: A fault of kind `unsupported` when it is not there.
  package static func load() throws(Fault) {
    var reason: UnsafePointer<CChar>?
    if om_tiff_load(&reason) == 0 { return }
    throw Fault(lacking: "libtiff", reason, for: "TIFF files", package: "libtiff6")
  }
}
