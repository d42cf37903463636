import OMCodecs
import OMGrid
import OMImage
import OMJSON
import OMZarr

/// What one image asks for, whoever does it: regions, write units and what they cost.
struct Workload {
  /// One region.
  struct Item {
    /// Voxels that are processed.
    var voxels: Int
    /// What a run takes it to cost when it chooses owners.
    var cost: Double
    /// The voxels that count for its time: those of empty chunks hardly do.
    var load: Double
    /// Decoded bytes, in all passes.
    var read: Double
    /// Stored chunks (or shards) that are opened, in all passes.
    var opened: Int
    /// Write units of the finest level, and their bytes before compression.
    var units: Int
    var written: Int
  }

  /// A write unit of a coarser level.
  struct CoarseUnit {
    /// The regions that its voxels come from.
    var items: [Int]
    /// Its bytes before compression, and those that are read when it is made at the end.
    var written: Int
    var fineBytes: Int
    /// Whether it is always made at the end.
    var waits: Bool
  }

  var items: [Item] = []
  var coarse: [CoarseUnit] = []
  /// The images to make, for their memory.
  let plans: [any ArrayPlan]
  /// Stored chunks of the input, whose sizes and times are asked for.
  let keys: Int
  /// Documents that are written.
  var documents = 0
  /// Folders that are made for chunks.
  var folders = 0
  /// What it costs.
  let choice: CostChoice
  var costs: TaskCosts { choice.costs }
  /// Seconds of a processor for a byte of a coarser level, when it is read and when it is written.
  let levelCosts: (read: Double, write: Double)

  /// Voxels with at least this share of the stored bytes that the mean has take their full time.
  private static let fullShare = 0.5

  /// Finds out what an image asks for.
  ///
  /// - Parameters:
  ///   - setup: The image.
  ///   - request: The run.
  ///   - model: What things cost.
  ///   - memory: Bytes for each worker.
  /// - Throws: `usage` when the model does not know the task; what the store says.
  init(
    _ setup: ImageSetup, _ request: RunRequest, _ model: CostModel, memory: Int
  ) throws(Fault) {
    plans = setup.plans
    let source = setup.plans[0].source
    choice = try CostChoice(request, of: source, in: model)
    keys = setup.plans.reduce(0) { $0 + $1.source.storedGrid.count }
    let type = setup.plans[0].expectedDataType.rawValue
    let codec = model.codec(codecName(source.metadata.compression), type)
    levelCosts = (codec.map { 1 / $0.decode } ?? 0, codec.map { 1 / $0.encode } ?? 0)
    let pieces = try PieceCosts.measured(Piece.all(of: plans), of: plans)
    for piece in pieces { items.append(item(piece, memory: memory)) }
    var first = 0
    for plan in plans {
      try addCoarse(plan, from: first)
      first += plan.grid.cells.count
      for layout in try plan.written(plan.expectedDataType) {
        folders += Workload.folders(of: layout)
      }
    }
    let units = items.reduce(coarse.count) { $0 + $1.units }
    documents = max(0, try OutputRoom(plans).files - units)
  }

  private func item(_ piece: Piece, memory: Int) -> Item {
    let plan = plans[piece.plan]
    let voxels = Double(piece.voxels)
    let stored = piece.voxels == 0 ? 0 : piece.cost / (voxels + 1)
    let decodings = plan.decodings(memory: memory)
    let cells = plan.sourceBoxes(of: piece.region).reduce(0) {
      $0 + plan.source.storedGrid.cells(touching: $1).count
    }
    let stores = plan.storesFinest && plan.expectedUnits
    return Item(
      voxels: piece.voxels, cost: piece.cost,
      load: voxels * min(1, stored / Workload.fullShare),
      read: voxels * decodings * Double(plan.bytesPerVoxel),
      opened: Int((Double(cells) * decodings).rounded(.up)),
      units: stores ? plan.units(of: piece).count : 0,
      written: stores ? piece.region.count * plan.expectedDataType.byteCount : 0)
  }

  private mutating func addCoarse(_ plan: any ArrayPlan, from first: Int) throws(Fault) {
    let layouts = try plan.layouts(plan.expectedDataType)
    guard let finest = layouts.first, layouts.count > 1 else { return }
    let cells = plan.grid.cells
    var numbers: [Int: Int] = [:]
    for (place, position) in localityOrder(of: cells.gridShape).enumerated() {
      numbers[cells.number(at: position)] = first + place
    }
    var waits = false
    for level in 1..<layouts.count {
      let (layout, finer) = (layouts[level], layouts[level - 1])
      waits = waits || Workload.crosses(finer, layout)
      let factor = Double(finer.shape.reduce(1, *)) / Double(max(1, layout.shape.reduce(1, *)))
      forEachPosition(in: Region(wholeOf: layout.unitGrid.gridShape)) { position in
        let unit = layout.unitGrid.region(at: position)
        var items: [Int] = []
        forEachPosition(
          in: cells.cells(touching: unit.scaled(from: layout.shape, to: finest.shape))
        ) {
          if let item = numbers[cells.number(at: $0)] { items.append(item) }
        }
        let bytes = unit.count * layout.dataType.byteCount
        coarse.append(
          CoarseUnit(
            items: items, written: bytes, fineBytes: Int(Double(bytes) * factor), waits: waits))
      }
    }
  }

  /// The folders of a level: one for each index of a chunk key but the last, and the level itself.
  private static func folders(of layout: ArrayLayout) -> Int {
    let grid = layout.unitGrid.gridShape
    let first = layout.unitKey(grid.map { _ in 0 }).split(separator: "/")
    // Keys such as `c/0/0/0` have a folder before the first index, `0.0.0` none at all.
    let before = first.count - grid.count
    if before < 0 { return 1 }
    var (folders, places) = (1 + before, 1)
    for size in grid.dropLast() {
      places *= size
      folders += places
    }
    return folders
  }

  /// Whether windows of a level cross chunks of the finer one.
  private static func crosses(_ finer: ArrayLayout, _ coarser: ArrayLayout) -> Bool {
    finer.shape.indices.contains { axis in
      let ratio = Double(finer.shape[axis]) / Double(max(1, coarser.shape[axis]))
      let step = max(1, Int(ratio.rounded(.up)))
      return finer.shape[axis] > finer.chunkShape[axis]
        && !finer.chunkShape[axis].isMultiple(of: step)
    }
  }
}

extension ArrayPlan {
  /// Whether it has write units: tables have none.
  fileprivate var expectedUnits: Bool {
    ((try? layouts(expectedDataType).isEmpty) ?? true) == false
  }
}

extension Region {
  /// The same box of an array of another size.
  fileprivate func scaled(from shape: [Int], to other: [Int]) -> Region {
    var box = self
    for axis in 0..<rank {
      let ratio = Double(other[axis]) / Double(max(1, shape[axis]))
      let low = min(other[axis] - 1, Int(Double(origin[axis]) * ratio))
      let high = min(other[axis], Int((Double(end(axis)) * ratio).rounded(.up)))
      (box.origin[axis], box.shape[axis]) = (low, max(1, high - low))
    }
    return box
  }
}
