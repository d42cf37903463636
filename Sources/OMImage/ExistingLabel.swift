package import OMJSON
package import OMStore
import OMZarr

/// Something that already has the name of a label image or a table.
package struct ExistingLabel: Sendable, Equatable {
  /// Our record of how it was made; nil when somebody else made it.
  package let record: JSON?

  /// Makes what was found.
  package init(record: JSON?) { self.record = record }

  /// Looks for a label image or a table of an image.
  ///
  /// - Parameters:
  ///   - name: The name below the group.
  ///   - image: The key of the image.
  ///   - store: The hierarchy.
  ///   - shelf: The group.
  /// - Returns: What is there, or nil when the name is free. A folder whose metadata cannot be read
  ///   counts as made by somebody else.
  /// - Throws: What the store throws; the subject is a key of the store.
  package static func find(
    _ name: String, image: String, in store: any Store, shelf: Shelf = .labels
  ) throws(Fault) -> ExistingLabel? {
    let path = joinedKey(image, "\(shelf.name)/\(name)")
    do throws(Fault) {
      if try store.list(path).isEmpty { return nil }
      let group = try ZarrGroup.open(store, path: path)
      return ExistingLabel(record: group?.attributes["omtask"])
    } catch {
      if [.io, .permission, .path].contains(error.kind) { throw error }
      return ExistingLabel(record: nil)
    }
  }
}
