public import OMJSON
public import OMManifest

/// A task: what an author writes beside its manifest, in one file of `Tasks/`.
///
/// A value of the type is the task bound to its parameters. It says what to make of an image as
/// recipes; the engine owns reading, halos, memory, threads, ranks, encoding and commit.
public protocol RegionTask: ImageTask {
  /// Whether images are taken whose axes stand in another order than OME-Zarr's; their copies are put in
  /// order. Other tasks leave this out.
  static var takesAnyAxisOrder: Bool { get }

  /// Binds the task to parameters that passed the manifest's checks.
  ///
  /// - Throws: A fault of kind `usage` when parameters contradict each other.
  init(_ parameters: Parameters) throws(Fault)

  /// The values that the task has in place of parameters that were left out and that follow from others,
  /// such as a method. They are part of what a run is, as if they had been given. Most tasks leave this out.
  var settled: JSONObject { get }
}

/// A task that is bound to its parameters.
public protocol ImageTask: Sendable {
  /// What to make of one image.
  ///
  /// - Throws: A fault of kind `usage` when the image lacks what the parameters ask for.
  func product(for image: ImageInfo) throws(Fault) -> Product
}

extension RegionTask {
  /// Only images in the order of OME-Zarr.
  public static var takesAnyAxisOrder: Bool { false }

  /// None: the manifest says all defaults.
  public var settled: JSONObject { [:] }
}
