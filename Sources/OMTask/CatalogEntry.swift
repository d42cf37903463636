public import OMJSON
public import OMManifest

/// A task with its manifest, as the catalogue lists it.
public struct CatalogEntry: Sendable {
  /// The text of the manifest.
  public let manifestText: String
  /// The file of the manifest; nil for a task that is built in.
  public let file: String?
  /// What does the work.
  public let program: any TaskProgram

  /// Makes the entry of a task that is built in.
  public init(manifestText: String, task: any RegionTask.Type) {
    self.manifestText = manifestText
    file = nil
    program = BuiltInProgram(task: task)
  }

  /// Makes the entry of a task that is not built in.
  public init(manifestText: String, file: String, program: any TaskProgram) {
    self.manifestText = manifestText
    self.file = file
    self.program = program
  }
}

/// What a task may know of the run around it.
public struct TaskSurroundings: Sendable {
  /// The interpreter to use instead of the one that the manifest asks for.
  public var python: String?
  /// Seconds without any sign of life after which a program is given up; 0 waits for ever.
  public var patience: Double

  /// Makes the surroundings of a run.
  public init(python: String? = nil, patience: Double = 0) {
    self.python = python
    self.patience = patience
  }
}

/// What does the work of a task: code that is built in, or another program.
public protocol TaskProgram: Sendable {
  /// What stands for the program itself in the identity of a run; nil for code that is built in,
  /// whose result version says all.
  var fingerprint: String? { get }

  /// Whether images are taken whose axes stand in another order than OME-Zarr's.
  var takesAnyAxisOrder: Bool { get }

  /// Binds the task to parameters that passed the manifest's checks.
  ///
  /// - Throws: A fault of kind `usage` when parameters contradict each other.
  func bind(
    _ parameters: Parameters, _ surroundings: TaskSurroundings
  ) throws(Fault) -> any ImageTask

  /// Parameters with the values that the task has in place of some that were left out.
  ///
  /// - Throws: A fault of kind `usage` when parameters contradict each other.
  func settle(_ parameters: Parameters) throws(Fault) -> Parameters

  /// Binds a task whose program reads and writes whole images by itself.
  ///
  /// - Returns: The task; nil when it is one that omtask gives voxels.
  /// - Throws: A fault of kind `manifest` when there is no such program, `unsupported` when it is
  ///   called in a way that omtask does not know.
  func bindToImages(
    _ parameters: Parameters, _ surroundings: TaskSurroundings
  ) throws(Fault) -> (any WholeImageTask)?

  /// Ends what was started for the task, in order.
  func end()

  /// Ends it at once; any thread, in the middle of its work.
  func abandon()
}

extension TaskProgram {
  /// Only images in the order of OME-Zarr.
  public var takesAnyAxisOrder: Bool { false }

  /// As they are: only the program knows what it does without a value.
  public func settle(_ parameters: Parameters) throws(Fault) -> Parameters { parameters }

  /// None: most tasks are given voxels.
  public func bindToImages(
    _ parameters: Parameters, _ surroundings: TaskSurroundings
  ) throws(Fault) -> (any WholeImageTask)? { nil }
}

/// A task that is built in.
private struct BuiltInProgram: TaskProgram {
  let task: any RegionTask.Type

  var fingerprint: String? { nil }
  var takesAnyAxisOrder: Bool { task.takesAnyAxisOrder }

  func bind(
    _ parameters: Parameters, _ surroundings: TaskSurroundings
  ) throws(Fault) -> any ImageTask {
    try task.init(parameters)
  }

  func settle(_ parameters: Parameters) throws(Fault) -> Parameters {
    parameters.settled(try task.init(parameters).settled)
  }

  func end() {}
  func abandon() {}
}
