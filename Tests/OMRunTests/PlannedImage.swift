import OMCodecs
import OMGrid
import OMJSON
import OMStore
import OMTask
import OMZarr
import Testing

@testable import OMRun

/// An image of which the metadata is in memory, and voxels only where a test puts some.
struct PlannedImage: Sendable {
  /// One letter for each axis.
  let axes: String
  /// The levels, the full one first.
  let layouts: [ArrayLayout]
  let store = MemoryStore()

  /// An image whose coarser levels have half the size in each axis of space.
  init(
    _ axes: String, _ shape: [Int], chunk: [Int], shard: [Int]? = nil,
    dataType: DataType = .uint16, levels: Int = 1
  ) throws {
    self.axes = axes
    layouts = try (0..<levels).map { level in
      let sizes = zip(axes, shape).map { "zyx".contains($0) ? max(1, $1 >> level) : $1 }
      return try ArrayLayout(
        zarrFormat: 3, shape: sizes, dataType: dataType, chunkShape: chunk, shardShape: shard,
        compression: .gzip(level: 1))
    }
    for (level, layout) in layouts.enumerated() {
      for (name, document) in layout.documents(attributes: [:]) {
        store["\(level)/\(name)"] = document.bytes()
      }
    }
  }

  /// Stores this many bytes under the key of a chunk (or shard) of the full level.
  func put(_ position: [Int], bytes: Int) {
    store["0/\(layouts[0].unitKey(position))"] = [UInt8](repeating: 1, count: bytes)
  }

  /// The plan of a label image; voxels are selected by ranges by the letter of the axis.
  func plan(_ recipe: LabelRecipe, selection: [Character: Range<Int>] = [:]) throws -> LabelPlan {
    LabelPlan(
      recipe: recipe, name: "label", sources: try arrays(), scales: scales,
      axes: try imageAxes(), axisNames: axes.map(String.init),
      selection: SelectedVoxels(box(selection)))
  }

  /// The plan of a derived image.
  func plan(
    _ recipe: ImageRecipe, selection: [Character: Range<Int>] = [:]
  ) throws -> DerivedPlan {
    try DerivedPlan(
      recipe: recipe, name: "derived", sources: try arrays(), scales: scales,
      axes: try imageAxes(), axisNames: axes.map(String.init), letters: axes.map(String.init),
      selection: SelectedVoxels(box(selection)))
  }

  private func box(_ selection: [Character: Range<Int>]) -> Region {
    var box = Region(wholeOf: layouts[0].shape)
    for (axis, letter) in axes.enumerated() {
      guard let range = selection[letter] else { continue }
      (box.origin[axis], box.shape[axis]) = (range.lowerBound, range.count)
    }
    return box
  }

  private func arrays() throws -> [ZarrArray] {
    try layouts.indices.map { try ZarrArray.open(store, path: "\($0)") }
  }

  private var scales: [[Double]] {
    layouts.indices.map { level in axes.map { "zyx".contains($0) ? Double(1 << level) : 1 } }
  }

  private func imageAxes() throws -> ImageAxes {
    let kinds = axes.map { $0 == "t" ? "time" : $0 == "c" ? "channel" : "space" }
    return try ImageAxes(kinds: kinds, subject: "")
  }
}

extension LabelRecipe {
  /// A recipe of which only the outlines count.
  static func outline(
    channels: [Int] = [0], keepsChannelAxis: Bool = false, statistics: StatisticsNeed? = nil,
    scope: StatisticsScope = .volume, objects: Bool = true
  ) -> LabelRecipe {
    LabelRecipe(
      name: nil, channels: channels, keepsChannelAxis: keepsChannelAxis, level: 0,
      statistics: statistics, scope: scope,
      objects: objects ? ObjectRules(connectivity: .full) : nil, dataType: nil,
      downsampling: .mode
    ) { _ throws(Fault) in throw Fault(.internal, "", "nobody chooses here") }
  }
}
