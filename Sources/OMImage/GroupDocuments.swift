import OMJSON

/// The metadata of a multiscale image that is made: what a commit needs of it.
package protocol GroupDocuments: Sendable {
  /// Its name.
  var name: String { get }
  /// The version of OME-Zarr to write: that of the hierarchy that is extended.
  var version: OMEVersion { get }

  /// The documents of its group.
  ///
  /// - Parameter source: The path to the image that it was made of.
  /// - Returns: Documents with keys below the image that is made.
  func group(source: String) -> [MetadataDocument]
}

/// How the coarser levels of an image were made.
package struct PyramidDescription: Sendable, Equatable {
  /// The name of the method, such as `mode`.
  package let method: String
  /// What it does, for people.
  package let description: String

  /// Makes the description of a method.
  package init(method: String, description: String) {
    self.method = method
    self.description = description
  }

  /// The members `type` and `metadata` of a multiscale.
  func add(to multiscale: inout JSONObject) {
    multiscale["type"] = .string(method)
    multiscale["metadata"] = [
      "method": .string(method), "description": .string(description),
    ]
  }
}
