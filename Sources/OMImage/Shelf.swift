/// A group of an image that holds results of one kind and lists them.
package enum Shelf: String, Sendable, CaseIterable {
  /// Label images; OME-Zarr defines the list.
  case labels
  /// Tables; ngio and Fractal define the list, which lies beside what OME-Zarr defines.
  case tables

  /// The name of the group, and of the list in its attributes.
  package var name: String { rawValue }

  /// What it holds, for messages.
  package var noun: String {
    switch self {
    case .labels: "label image"
    case .tables: "table"
    }
  }
}
