import OMJSON
import OMStore

/// One resolution of an image.
package struct Level: Sendable, Equatable {
  /// The key of its array, below the image.
  package let path: String
  /// Where its voxels lie.
  package let transformations: Transformations

  /// The size of a voxel along each axis.
  package var scale: [Double] { transformations.scale }
  /// Where the first voxel lies along each axis; nil when the document does not say.
  package var translation: [Double]? { transformations.translation }

  /// Reads the datasets of a multiscale image.
  ///
  /// - Throws: `metadata` for broken rules, `path` for a path that leads out of the image.
  static func read(
    _ multiscale: JSONObject, rank: Int, subject: String
  ) throws(Fault) -> [Level] {
    let datasets = try multiscale.required("datasets", .objects, in: subject)
    if datasets.isEmpty {
      throw Fault(.metadata, subject, "`datasets` is empty, expected at least one level")
    }
    return try datasets.map { (dataset) throws(Fault) in
      let path = try dataset.required("path", .string, in: subject)
      return Level(
        path: try checkedKey(path, subject: subject),
        transformations: try Transformations(dataset, rank: rank, subject: subject))
    }
  }
}
