import OMImage
import OMJSON
import OMStore
import OMZarr

/// The arrays that a run reads, as they were when it began.
///
/// Chunks of an array that is taken away while it is read cannot be told from chunks that were never
/// stored.
struct ReadArrays: Sendable {
  private let arrays: [(array: ZarrArray, stamp: ValueStamp)]

  /// Looks at all arrays that are read for some plans.
  ///
  /// - Throws: A fault of kind `locked` when one of them is gone.
  init(_ plans: [any ArrayPlan]) throws(Fault) {
    var arrays: [(ZarrArray, ValueStamp)] = []
    for array in plans.flatMap(\.arraysRead) where !arrays.contains(where: { $0.0 === array }) {
      guard let stamp = try array.documentStamp() else { throw Self.replaced(array) }
      arrays.append((array, stamp))
    }
    self.arrays = arrays
  }

  /// Looks again whether they are the same, when the last voxel was read.
  ///
  /// - Throws: A fault of kind `locked` when one of them is gone or another one.
  func check() throws(Fault) {
    for (array, stamp) in arrays {
      // It may also have been replaced before the first look, when its metadata were known already.
      guard try array.documentStamp() == stamp,
        try array.metadata.document == ArrayMetadata.read(array.store, path: array.path).document
      else { throw Self.replaced(array) }
    }
  }

  /// The fault of an array that is not the one that was planned with.
  static func replaced(_ array: ZarrArray) -> Fault {
    Fault(
      .locked, joinedKey(array.store.description, array.path),
      "another program has replaced or removed this array while it was read",
      hint: "run the command again when that program has ended")
  }
}

extension ArrayPlan {
  /// The arrays whose voxels are read; of the coarser levels only the metadata count.
  var arraysRead: [ZarrArray] {
    [source] + inputs.filter { array in !sources.contains { $0 === array } }
  }
}
