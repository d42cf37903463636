package import OMImage
package import OMJSON
import OMManifest
import OMTask

/// Tries a task on a part of one image.
package struct TaskPreview: Sendable {
  /// What it looks at.
  package let scope: PreviewScope
  private let request: RunRequest
  private let setup: ImageSetup

  /// Chooses level and plane.
  ///
  /// - Parameters:
  ///   - request: What to try; its only input is the image.
  ///   - image: The image.
  ///   - wish: What of it.
  /// - Throws: `usage` for a level, a plane or a time point that is not there, and what the task says
  ///   to the image.
  package init(
    _ request: RunRequest, _ image: OMEImage, _ wish: PreviewWish
  ) throws(Fault) {
    let whole = try ImageSetup(image.location, request)
    if let note = whole.note { throw Fault(.usage, image.location.displayName, note) }
    if whole.copy != nil {
      throw Fault(
        .usage, "", "\(request.manifest.identifier) changes no voxel, there is nothing to see",
        hint: "`omtask preview URI --png FILE` shows the image")
    }
    if whole.outputKind == .table {
      throw Fault(.usage, "", "\(request.manifest.identifier) makes a table, no picture")
    }
    if !whole.levels.isEmpty {
      throw Fault(
        .usage, "",
        "\(request.manifest.identifier) changes the image itself, there is no preview of it",
        hint: "`omtask preview URI --png FILE --level N` shows the levels there are")
    }
    if whole.plans.isEmpty {
      throw Fault(.usage, image.location.displayName, "the task makes nothing of this image")
    }
    var wish = wish
    if whole.derived?.ingredients.isEmpty == false {
      // Profiles have the size of the finest level.
      guard (wish.level ?? 0) == 0 else {
        throw Fault(
          .usage, "",
          "`--level` is \(wish.level ?? 0), but the profiles fit level 0",
          hint: "leave `--level` out: one plane of level 0 is shown")
      }
      (wish.level, wish.planeOnly) = (0, true)
    }
    let along = whole.derived.flatMap { $0.collapsed.map { image.axes[$0].letter } }
    let chosen = Set(whole.labels.flatMap(\.recipe.channels)).count
    scope = try PreviewScope(
      wish, image, along: along, channels: whole.labels.isEmpty ? nil : chosen)
    var request = request
    request.options = scope.limiting(request.options)
    self.request = request
    setup = try ImageSetup(image.location, request)
  }

  /// The channels of the image that the task chose, in their order; none when it takes all.
  package var channels: [Int] {
    Set(setup.labels.filter { $0.recipe.label == nil }.flatMap(\.recipe.channels)).sorted()
  }

  /// The channel that an output was made of, in the order of outputs; 0 where it has no channels.
  package var firstChannels: [Int] {
    setup.names.indices.map { setup.labels.isEmpty ? 0 : setup.labels[$0].recipe.channels[0] }
  }

  /// What ends it before its time.
  package var stop: StopSwitch { request.options.stop }

  /// Whether the task has several ways to choose a threshold.
  package var comparesThresholds: Bool { setup.labels.contains { !$0.recipe.alternatives.isEmpty } }

  /// Compares the ways to choose a threshold.
  ///
  /// - Throws: What reading throws.
  package func compareThresholds() throws -> [ComparedScope] {
    let options = request.options
    let engine = ThreadEngine(
      threads: options.threads, communicator: SoloCommunicator(), stop: options.stop)
    return try setup.labels.flatMap { try ThresholdComparison(plan: $0, engine: engine).run() }
  }

  /// Makes what a run would make of this part, as an OME-Zarr of its own.
  ///
  /// - Parameters:
  ///   - path: Where it goes.
  ///   - observer: Hears of the run.
  /// - Returns: What was made.
  /// - Throws: What fails.
  package func make(at path: String, observer: any RunObserver) throws -> [OutputReport] {
    var request = request
    request.options.output = path
    request.options.durability = .none
    let report = try execute(request, communicator: SoloCommunicator(), observer: observer)
    guard let image = report.images.first else {
      throw Fault(.internal, "", "a preview made no image")
    }
    if let fault = image.fault { throw fault }
    return image.outputs
  }
}
