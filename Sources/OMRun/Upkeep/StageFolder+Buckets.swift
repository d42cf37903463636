import OMImage
package import OMJSON
import OMStore

// Local folders in which results for buckets grow.

extension StageFolder {
  /// Finds the hidden folders in which what goes to a place in a bucket grows on this machine.
  ///
  /// - Parameters:
  ///   - uri: An image, plate or well in a bucket, or an output that may not be there yet.
  ///   - scratch: The folder that holds them all, as runs have it.
  /// - Returns: Those that exist; none for what is in no bucket.
  /// - Throws: `usage` for a URI that names no bucket.
  package static func find(_ uri: String, scratch: String?) throws(Fault) -> [StageFolder] {
    guard let holder = BucketScratch.existing(in: scratch) else { return [] }
    var homes = [try RemoteStore(uri).description]
    let source = try? ImageSource.open(uri, filter: WellFilter())
    homes += source?.items.map(\.location.displayName) ?? []
    var names: [String] = []
    for name in homes.map(BucketPlace.stages) where !names.contains(name) { names.append(name) }
    return names.compactMap { name in
      (try? holder.kind(of: name)) == .some(.folder)
        ? StageFolder(holder: holder, name: name) : nil
    }
  }
}
