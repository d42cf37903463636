package import OMJSON
import OMStore

/// A well: the images, also called fields, that were taken of it.
package struct Well: Sendable {
  /// One image as the well lists it.
  package struct ImageEntry: Sendable, Equatable {
    /// The key of the image, below the well.
    package let path: String
    /// The acquisition it belongs to, when the plate has several.
    package let acquisition: Int?
  }

  /// The images in the order of the document; in place of a bad entry what is wrong with it.
  package let images: [Result<ImageEntry, Fault>]

  /// Reads the metadata of a well.
  ///
  /// - Throws: `metadata` when there is no list of images; a bad entry of it is kept as a fault.
  init(_ group: OMEGroup) throws(Fault) {
    let subject = group.subject
    let well = try group.keys.required("well", .object, in: subject)
    let entries = try well.required("images", .objects, in: subject)
    images = entries.map { entry in
      Result { () throws(Fault) in
        let path = try entry.required("path", .string, in: subject)
        return ImageEntry(
          path: try checkedKey(path, subject: subject),
          acquisition: try entry.optional("acquisition", .integer, in: subject))
      }
    }
  }
}
