import Glibc
public import OMGrid
public import OMJSON
import OMManifest
import OMRun
public import OMTask

/// Tries whether a result depends on how the work was cut.
///
/// Each check computes once in one piece and then many times in random pieces, on several threads,
/// and throws a ``Difference`` that names the first voxel that is not the same bit for bit.
///
/// ```swift
/// @Test func `the range does not depend on the cut`() throws {
///   let sample = try SampleImage.blobs(.uint16, shape: [9, 40, 50])
///   try Trials().check(LocalRange(halo: Vector3(1, 2, 2)), on: sample)
/// }
/// ```
///
/// Round *n* has the seed `seed + n`, so the round that failed is repeated alone by `rounds: 1`
/// and its seed. Rounds are the same on every machine.
public struct Trials: Sendable {
  /// How many rounds.
  public var rounds: Int
  /// The seed of the first round, at least 0.
  public var seed: Int
  /// The types that the sample is given in turn, besides its own; nil takes those that the manifest
  /// of a task declares, and for kernels its own alone.
  public var dataTypes: [DataType]?

  /// Makes trials.
  public init(rounds: Int = 20, seed: Int = 0, dataTypes: [DataType]? = nil) {
    self.rounds = max(1, rounds)
    self.seed = max(0, seed)
    self.dataTypes = dataTypes
  }

  /// Checks a whole task: the sample is stored in a temporary folder with random chunks, shards and
  /// regions, and the task runs on it as `omtask run` does.
  ///
  /// - Parameters:
  ///   - entry: The task, one of `TaskCatalog.entries`.
  ///   - parameters: Its parameters by name; others have their defaults.
  ///   - sample: What it runs on.
  /// - Returns: What was tried.
  /// - Throws: A ``Difference``; a fault of what the task says to the sample.
  @discardableResult
  public func check(
    _ entry: CatalogEntry, parameters: JSONObject = JSONObject(), on sample: SampleImage
  ) throws -> TrialSummary {
    let manifest = try Manifest(text: entry.manifestText, subject: entry.file ?? "the manifest")
    let bound = try ParameterBinder(manifest).bind(arguments: parameters)
    let request = RunRequest(
      entry: entry, manifest: manifest, parameters: bound, inputs: [], options: RunOptions())
    let types = dataTypes ?? manifest.traits.dataTypes.compactMap(DataType.init(rawValue:))
    let parent = getenv("TMPDIR").map { String(cString: $0) }
    defer { entry.program.end() }
    return try TemporaryFolder.with(in: parent, for: "trials", request.options.stop) { folder in
      let trials = try TaskTrials(
        request: request, sample: sample, dataTypes: types, rounds: rounds, seed: seed,
        folder: folder)
      let summary = try trials.run()
      if let difference = summary.difference { throw difference }
      return summary
    }
  }
}
