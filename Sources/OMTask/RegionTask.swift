public import OMJSON
public import OMManifest

/// A task: what an author writes beside its manifest, in one file of `Tasks/`.
///
/// A value of the type is the task bound to its parameters. It says what to make of an image as
/// recipes; the engine owns reading, halos, memory, threads, ranks, encoding and commit.
public protocol RegionTask: ImageTask {
  /// Binds the task to parameters that passed the manifest's checks.
  ///
  /// - Throws: A fault of kind `usage` when parameters contradict each other.
  init(_ parameters: Parameters) throws(Fault)
}

/// A task that is bound to its parameters.
public protocol ImageTask: Sendable {
  /// What to make of one image.
  ///
  /// - Throws: A fault of kind `usage` when the image lacks what the parameters ask for.
  func product(for image: ImageInfo) throws(Fault) -> Product
}
