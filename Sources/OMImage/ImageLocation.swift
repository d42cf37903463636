package import OMJSON
package import OMStore

/// Where an image lies, and its place in a plate.
package struct ImageLocation: Sendable {
  /// The place of an image in a plate.
  package struct Field: Sendable, Hashable {
    /// The name of the row.
    package let row: String
    /// The name of the column.
    package let column: String
    /// The path of the image below its well.
    package let name: String
    /// The acquisition, when the plate has several.
    package let acquisition: Int?

    /// Makes a place.
    package init(row: String, column: String, name: String, acquisition: Int?) {
      self.row = row
      self.column = column
      self.name = name
      self.acquisition = acquisition
    }
  }

  /// The whole hierarchy that the image belongs to: the plate, or the image itself.
  package let store: any Store
  /// The key of the image's group; empty for the root.
  package let path: String
  /// The place in a plate or well; nil for an image that was given by itself.
  package let field: Field?

  /// Whether it was found among others, in a plate, a collection or a group of series, and not named by
  /// itself.
  package let isMember: Bool

  /// Makes a location.
  package init(
    store: any Store, path: String, field: Field? = nil, isMember: Bool = false
  ) {
    self.store = store
    self.path = path
    self.field = field
    self.isMember = isMember || field != nil
  }

  /// The plate or well that it was found in; nil for none.
  package var plateName: String? {
    field == nil
      ? nil
      : joinedKey(
        store.description, path.split(separator: "/").dropLast(3).joined(separator: "/"))
  }

  /// How people name it: the path of its folder.
  package var displayName: String { joinedKey(store.description, path) }

  /// The last part of the path of its folder.
  package var name: String {
    displayName.split(separator: "/").last.map(String.init) ?? displayName
  }

  /// Names the whole hierarchy in a fault whose subject is one of its keys.
  package func naming(_ fault: Fault) -> Fault {
    let root = store.description
    return fault.subject == root || fault.subject.hasPrefix(root + "/") ? fault : fault.below(root)
  }

  /// Does something whose faults name keys of the store, and names whole paths instead.
  package func naming<Value>(_ work: () throws(Fault) -> Value) throws(Fault) -> Value {
    do throws(Fault) {
      return try work()
    } catch {
      throw naming(error)
    }
  }
}
