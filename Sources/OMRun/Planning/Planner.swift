import OMGrid
import OMImage
import OMJSON
import OMManifest
import OMStore
import OMTask
import OMZarr
import Synchronization

/// Finds out what a run would do.
///
/// *Local*; nothing is written.
///
/// - Parameters:
///   - request: What to do.
///   - ranks: For how many ranks.
/// - Returns: The plan: the same regions, files and bytes as the run's.
/// - Throws: What concerns the whole run; a fault of a single image is a note of its plan.
package func makePlan(_ request: RunRequest, ranks: Int) throws -> RunPlan {
  if request.manifest.traits.contract == .image {
    return try makeProgramPlan(request, ranks: ranks)
  }
  return try Planner(request: request, ranks: ranks).plan()
}

private struct Planner: Sendable {
  let request: RunRequest
  let ranks: Int

  func plan() throws -> RunPlan {
    let inputs = try Inputs(request)
    var plan = RunPlan()
    plan.ranks = ranks
    plan.threads = request.options.threads
    plan.warnings = inputs.warnings
    plan.splitsImages = ImageSpread.splits(inputs, request, workers: ranks * plan.threads)
    for planned in try images(inputs, split: plan.splitsImages) {
      plan.images.append(planned.plan)
      plan.warnings += planned.plan.warnings
      plan.memory = max(plan.memory, planned.memory)
    }
    try addSpace(&plan, inputs)
    return plan
  }

  /// An image's plan, and the bytes of memory of one process that works on it.
  private struct Planned: Sendable {
    var plan: ImagePlan
    var memory = 0
  }

  /// The plans of all images, several made at a time: a plate may have thousands, each with documents to read.
  private func images(_ inputs: Inputs, split: Bool) throws(Fault) -> [Planned] {
    let items = inputs.items
    let owners = Partition(costs: items.map { _ in 1 }, parts: ranks).owners
    let isRemote = items.contains { $0.location?.store.isRemote ?? false }
    let width = isRemote ? RemoteStore.width : request.options.threads
    let made = Mutex([Planned?](repeating: nil, count: items.count))
    try atOnce(items.count, width: width) { (index) throws(Fault) in
      let planned: Planned
      do {
        planned = try self.planned(items[index], owner: split ? nil : owners[index])
      } catch {
        let fault = Fault(wrapping: error)
        if items.count == 1 { throw fault }
        var failed = ImagePlan(uri: items[index].uri)
        failed.fail(fault)
        planned = Planned(plan: failed)
      }
      made.withLock { $0[index] = planned }
    }
    return made.withLock { $0.compactMap { $0 } }
  }

  private func planned(_ item: Inputs.Item, owner: Int?) throws -> Planned {
    let setup = try ImageSetup(try item.found(), request)
    return try Planned(
      plan: image(setup, owner: owner), memory: budget(setup, split: owner == nil))
  }

  private func image(_ setup: ImageSetup, owner: Int?) throws -> ImagePlan {
    var plan = ImagePlan(uri: setup.image.location.displayName)
    plan.regions = setup.regionCount
    let target = try Target(request, setup)
    if setup.plans.isEmpty {
      plan.note = (setup.note ?? "has none of the channels") + ", nothing to do"
      return plan
    }
    let identity = try RunIdentity(request, setup)
    let found = try target.look(runID: identity.runID)
    if found.state == .done {
      plan.note = "the result is there already, nothing to do"
      return plan
    }
    plan.warnings = found.replaced.map(target.warning)
    plan.shape = setup.plans[0].source.metadata.shape
    plan.dataType = setup.plans[0].source.metadata.dataType
    var pieces = Piece.all(of: setup.plans)
    if ranks > 1 && owner == nil { pieces = try PieceCosts.measured(pieces, of: setup.plans) }
    let owners = Partition(costs: pieces.map(\.cost), parts: ranks).owners
    for pass in ImagePass.all(setup.plans, memory: memoryPerWorker, preset: false) {
      plan.passes.append(
        PassPlan(
          name: pass.rawValue,
          regions: pieces.indices.map {
            RegionPlan(
              output: setup.plans[pieces[$0].plan].name, region: pieces[$0].region,
              owner: owner ?? owners[$0])
          }))
    }
    for (index, output) in setup.plans.enumerated() {
      try add(output, target.uri(setup.place(index).image), to: &plan)
    }
    return plan
  }

  private var memoryPerWorker: Int { request.options.memory / max(1, request.options.threads) }

  private func add(
    _ output: any ArrayPlan, _ uri: String, to plan: inout ImagePlan
  ) throws(Fault) {
    let layouts = try output.written(output.expectedDataType)
    plan.bytesRead += Int(
      Double(output.processedVoxels) * output.decodings(memory: memoryPerWorker)
        * Double(output.bytesPerVoxel))
    let room = try OutputRoom([output])
    plan.bytesWritten += room.bytes
    plan.files += room.files
    guard let finest = layouts.first else {
      return plan.outputs.append(OutputPlan(table: output.name, uri: uri))
    }
    if let last = plan.outputs.indices.last, plan.outputs[last].uri == uri {
      plan.outputs[last].levelShapes += layouts.map(\.shape)
    } else {
      plan.outputs.append(
        OutputPlan(
          name: output.name, uri: uri, levelShapes: layouts.map(\.shape), dataType: finest.dataType,
          chunkShape: finest.chunkShape, shardShape: finest.shardShape))
    }
  }

  /// Bytes of memory of one process at most.
  private func budget(_ setup: ImageSetup, split: Bool) throws(Fault) -> Int {
    let options = request.options
    if setup.plans.isEmpty { return 0 }
    if split {
      return try MemoryBudget(
        setup.plans, memory: options.memory, workers: options.threads, ranks: ranks
      ).total
    }
    return try options.threads
      * MemoryBudget(setup.plans, memory: memoryPerWorker, workers: 1, ranks: 1).total
  }

  private func addSpace(_ plan: inout RunPlan, _ inputs: Inputs) throws(Fault) {
    let place: String?
    let first = inputs.items.compactMap(\.location).first
    if RemoteStore.takes(request.options.output ?? first?.displayName ?? "") {
      // What is made for a bucket grows in a local folder.
      place = request.options.scratch
    } else if let output = request.options.output {
      place = try SeparatePath(output).parent
    } else {
      place = first?.displayName
    }
    let room = OutputRoom(bytes: plan.bytesWritten, files: plan.files)
    if let place { try room.check(place) }
    guard let place, let folder = try? OutputFolder(path: place),
      let space = try? folder.freeSpace()
    else { return }
    plan.freeBytes = space.bytes
    if plan.bytesWritten > space.bytes {
      plan.warnings.append(
        "\(plan.bytesWritten) bytes are written before compression, \(space.bytes) are free")
    }
    try room.check(place, space)
  }
}
