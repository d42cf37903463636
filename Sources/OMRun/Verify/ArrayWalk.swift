import OMGrid
import OMImage
import OMJSON
import OMStore
import OMZarr

/// Lists what lies below an array, so that only what is stored is looked at and strays are seen.
struct ArrayWalk {
  private let array: ZarrArray
  private static let documents: Set<String> = ["zarr.json", ".zarray", ".zattrs"]

  init(_ array: ZarrArray) { self.array = array }

  /// Calls `chunk` with the grid position of every stored chunk, `stray` with every other key, and
  /// `fault` where something cannot be listed.
  ///
  /// Where a store lists nothing, `chunk` is called with every position.
  func run(chunk: ([Int]) -> Void, stray: (String) -> Void, fault: (Fault) -> Void) {
    if array.store.canList { return list("", chunk, stray, fault) }
    for number in 0..<array.storedGrid.count { chunk(array.storedGrid.position(of: number)) }
  }

  private func list(
    _ folder: String, _ chunk: ([Int]) -> Void, _ stray: (String) -> Void, _ fault: (Fault) -> Void
  ) {
    let names: [String]
    do throws(Fault) {
      names = try array.store.list(joinedKey(array.path, folder))
    } catch { return fault(error) }
    if names.isEmpty && !folder.isEmpty { return refuseFile(folder, fault) }
    for name in names {
      if folder.isEmpty && Self.documents.contains(name) { continue }
      let key = joinedKey(folder, name)
      switch array.metadata.keyEncoding.classify(key, gridShape: array.storedGrid.gridShape) {
      case .chunk(let position): chunk(position)
      case .folder: list(key, chunk, stray, fault)
      case .stray: stray(joinedKey(array.path, key))
      }
    }
  }

  /// A file or a pipe where chunks should lie below hides all of them.
  private func refuseFile(_ folder: String, _ fault: (Fault) -> Void) {
    let key = joinedKey(array.path, folder)
    guard let isFolder = try? array.store.isFolder(key), !isFolder,
      (try? array.store.stamp(key)) != nil
    else { return }
    fault(Fault(.codec, key, "is no folder, expected a folder of chunks"))
  }
}
