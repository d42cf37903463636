package import OMJSON
import OMStore

/// A plate: which wells it has and where they lie.
package struct Plate: Sendable {
  /// One well as the plate lists it.
  package struct WellEntry: Sendable, Equatable {
    /// The key of the well, below the plate: row and column.
    package let path: String
    /// The name of the row.
    package let row: String
    /// The name of the column.
    package let column: String
  }

  /// The wells in the order of the document; in place of a bad entry what is wrong with it.
  package let wells: [Result<WellEntry, Fault>]

  /// Reads the metadata of a plate.
  ///
  /// - Throws: `metadata` when there is no list of wells; a bad entry of it is kept as a fault.
  init(_ group: OMEGroup) throws(Fault) {
    let subject = group.subject
    let plate = try group.keys.required("plate", .object, in: subject)
    let entries = try plate.required("wells", .objects, in: subject)
    if entries.isEmpty {
      throw Fault(.metadata, subject, "`wells` is empty, expected at least one")
    }
    wells = entries.map { entry in
      Result { () throws(Fault) in try Self.well(entry, subject) }
    }
  }

  private static func well(_ entry: JSONObject, _ subject: String) throws(Fault) -> WellEntry {
    let path = try entry.required("path", .string, in: subject)
    let parts = try checkedKey(path, subject: subject).split(separator: "/").map(String.init)
    if parts.count != 2 {
      throw Fault(
        .metadata, subject, "the well path `\(path)` has \(parts.count) parts, expected row/column")
    }
    return WellEntry(path: path, row: parts[0], column: parts[1])
  }
}
