import OMGrid
import OMObjects
import OMTask
import Testing

@testable import OMRun

@Suite struct LabelPlanTests {
  @Test(arguments: CutImage.small)
  func `the parts of all boxes are the chosen voxels, each once`(image: CutImage) throws {
    let plan = try image.plan()
    var seen: Set<[Int]> = []
    for position in positions(plan.grid.units.gridShape) {
      let box = plan.grid.units.region(at: position)
      for part in plan.parts(of: box) {
        #expect(!part.source.isEmpty && box.contains(part.label))
        for voxel in voxels(part.source) { #expect(seen.insert(voxel).inserted) }
      }
    }
    #expect(seen == Set(voxels(Region(wholeOf: image.shape)).filter(image.isChosen)))
    #expect(plan.processedVoxels == seen.count)
  }

  @Test(arguments: CutImage.small)
  func `a part lies in one volume and is written where it was read`(image: CutImage) throws {
    let plan = try image.plan()
    for part in plan.parts(of: Region(wholeOf: plan.shape)) {
      var label = part.source
      if let time = image.axis("t") {
        #expect((label.origin[time], label.shape[time]) == (part.time, 1))
      }
      if let channel = image.axis("c") {
        #expect((label.origin[channel], label.shape[channel]) == (part.channel, 1))
        if !image.keepsChannelAxis {
          label.origin.remove(at: channel)
          label.shape.remove(at: channel)
        }
      }
      #expect(part.label == label)
    }
  }

  @Test func `a label without the channel axis reads one channel of every time point`() throws {
    let image = try PlannedImage("tczyx", [3, 4, 5, 6, 7], chunk: [2, 3, 5, 6, 7])
    let plan = try image.plan(.outline(channels: [2]), selection: ["t": 1..<3, "x": 2..<6])
    #expect(plan.shape == [3, 5, 6, 7])
    let parts = plan.parts(of: Region(wholeOf: plan.shape))
    #expect(parts.map(\.source.origin) == [[1, 2, 0, 0, 2], [2, 2, 0, 0, 2]])
    #expect(parts.map(\.source.shape) == [[1, 1, 5, 6, 4], [1, 1, 5, 6, 4]])
    #expect(parts.map(\.label.origin) == [[1, 0, 0, 2], [2, 0, 0, 2]])
    #expect(parts.map(\.label.shape) == [[1, 5, 6, 4], [1, 5, 6, 4]])
    #expect(parts.map(\.volume) == [1, 2])
  }

  @Test func `a label with the channel axis numbers the volumes of all channels`() throws {
    let image = try PlannedImage("tczyx", [2, 4, 5, 6, 7], chunk: [1, 2, 5, 6, 7])
    let plan = try image.plan(.outline(channels: [3, 0, 2], keepsChannelAxis: true))
    #expect(plan.shape == [2, 4, 5, 6, 7] && plan.volumeCount == 8)
    let box = Region(origin: [1, 2, 0, 0, 0], shape: [1, 2, 5, 6, 7])
    let parts = plan.parts(of: box)
    #expect(parts.map(\.channel) == [3, 2])
    #expect(parts.map(\.volume) == [7, 6])
    #expect(parts.map(\.label.origin) == [[1, 3, 0, 0, 0], [1, 2, 0, 0, 0]])
    #expect(parts.allSatisfy { $0.label == $0.source && $0.label.shape == [1, 1, 5, 6, 7] })
    let none = Region(origin: [0, 1, 0, 0, 0], shape: [2, 1, 5, 6, 7])
    #expect(plan.parts(of: none).isEmpty)
  }

  @Test(arguments: CutImage.large)
  func `every block of every chosen volume comes once, where its region is`(
    image: CutImage
  ) throws {
    let plan = try image.plan()
    let grid = plan.blockGrid
    var seen: Set<[Int]> = []
    var count = 0
    for region in plan.grid.regions() {
      for part in plan.parts(of: region) {
        let block = plan.block(part)
        let place = block.position
        #expect((0..<grid.volumes).contains(block.volume))
        #expect(seen.insert([block.volume, place.z, place.y, place.x]).inserted)
        let cell = plan.spatial(plan.grid.cells.cellShape)
        let (low, size) = (block.origin, block.shape)
        #expect(Vector3(low.z / cell.z, low.y / cell.y, low.x / cell.x) == place)
        #expect(
          (low.z + size.z - 1) / cell.z == place.z && (low.y + size.y - 1) / cell.y == place.y
            && (low.x + size.x - 1) / cell.x == place.x, "a block in several cells")
        #expect(place.z < grid.gridShape.z && place.y < grid.gridShape.y)
        #expect(place.x < grid.gridShape.x)
        count += size.z * size.y * size.x
      }
    }
    #expect(count == plan.processedVoxels)
    #expect(seen.count == image.blocks)
  }

  @Test func `blocks are where the selection cuts the regions`() throws {
    let image = try PlannedImage("cyx", [3, 2500, 1500], chunk: [1, 1024, 1024])
    let plan = try image.plan(
      .outline(channels: [1]), selection: ["y": 1000..<1100, "x": 1200..<1500])
    let blocks = plan.grid.regions().flatMap { plan.parts(of: $0).map(plan.block) }
    #expect(
      blocks == [
        Block(
          volume: 0, position: Vector3(0, 0, 1), origin: Vector3(0, 1000, 1200),
          shape: Vector3(1, 24, 300)),
        Block(
          volume: 0, position: Vector3(0, 1, 1), origin: Vector3(0, 1024, 1200),
          shape: Vector3(1, 76, 300)),
      ])
    #expect(
      plan.blockGrid
        == BlockGrid(
          volumes: 1, volumeShape: Vector3(1, 2500, 1500), gridShape: Vector3(1, 3, 2),
          border: BlockGrid.Border(
            low: Vector3(0, 1000, 1200), high: Vector3(1, 1100, 1500), hasDepth: false)))
  }

  @Test func `the border of a volume is that of the selection, along z too`() throws {
    let image = try PlannedImage("tczyx", [2, 3, 9, 30, 40], chunk: [1, 1, 3, 8, 8])
    let border = try image.plan(.outline(), selection: ["z": 2..<7, "y": 5..<30]).blockGrid.border
    #expect(
      border
        == BlockGrid.Border(low: Vector3(2, 5, 0), high: Vector3(7, 30, 40), hasDepth: true))
    let whole = try image.plan(.outline(keepsChannelAxis: true)).blockGrid
    #expect(whole.volumes == 6 && whole.volumeShape == Vector3(9, 30, 40))
    #expect(
      whole.border
        == BlockGrid.Border(low: Vector3(0, 0, 0), high: Vector3(9, 30, 40), hasDepth: true))
  }
}

/// An image, and what of it is chosen.
struct CutImage: Sendable, CustomTestStringConvertible {
  let axes: String
  let shape: [Int]
  let chunk: [Int]
  var channels = [0]
  var keepsChannelAxis = false
  var selection: [Character: Range<Int>] = [:]
  /// The number of blocks.
  var blocks = 0

  /// Few voxels, to look at each.
  static let small: [CutImage] = [
    CutImage(axes: "yx", shape: [7, 9], chunk: [4, 4]),
    CutImage(axes: "yx", shape: [7, 9], chunk: [4, 4], selection: ["y": 3..<5, "x": 8..<9]),
    CutImage(axes: "yx", shape: [1, 1], chunk: [4, 4]),
    CutImage(axes: "zyx", shape: [3, 5, 6], chunk: [2, 3, 4], selection: ["z": 1..<3]),
    CutImage(axes: "tyx", shape: [3, 5, 6], chunk: [2, 3, 4], selection: ["t": 1..<2]),
    CutImage(axes: "cyx", shape: [3, 5, 6], chunk: [1, 3, 4], channels: [2]),
    CutImage(
      axes: "cyx", shape: [3, 5, 6], chunk: [2, 3, 4], channels: [1], selection: ["y": 1..<4]),
    CutImage(
      axes: "cyx", shape: [4, 5, 6], chunk: [2, 3, 4], channels: [3, 0], keepsChannelAxis: true),
    CutImage(
      axes: "czyx", shape: [3, 3, 4, 5], chunk: [3, 2, 2, 3], channels: [0, 2],
      keepsChannelAxis: true, selection: ["c": 1..<3, "x": 2..<5]),
    CutImage(axes: "tczyx", shape: [2, 3, 2, 4, 5], chunk: [2, 2, 1, 3, 2], channels: [1]),
    CutImage(
      axes: "tczyx", shape: [3, 3, 2, 4, 5], chunk: [2, 2, 1, 3, 2], channels: [2, 1],
      keepsChannelAxis: true, selection: ["t": 1..<3, "z": 1..<2, "y": 2..<4]),
    CutImage(axes: "tczyx", shape: [1, 1, 1, 4, 5], chunk: [1, 1, 1, 4, 2]),
    CutImage(
      axes: "tczyx", shape: [1, 1, 1, 1, 5], chunk: [4, 4, 4, 4, 2], keepsChannelAxis: true),
  ]

  /// Several regions in a volume; nothing of it is stored.
  static let large: [CutImage] = [
    CutImage(axes: "yx", shape: [2500, 1500], chunk: [1024, 1024], blocks: 6),
    CutImage(
      axes: "yx", shape: [2500, 1500], chunk: [1024, 1024], selection: ["y": 1023..<1025],
      blocks: 4),
    CutImage(
      axes: "cyx", shape: [3, 2500, 1500], chunk: [2, 1024, 1024], channels: [2],
      selection: ["x": 1024..<1025], blocks: 3),
    CutImage(
      axes: "tczyx", shape: [2, 3, 1, 2500, 1500], chunk: [2, 3, 1, 1024, 1024],
      channels: [2, 0], keepsChannelAxis: true, blocks: 2 * 2 * 6),
    CutImage(
      axes: "tzyx", shape: [3, 150, 200, 300], chunk: [1, 64, 128, 128],
      selection: ["t": 1..<3, "z": 10..<140, "y": 127..<129], blocks: 2 * 3 * 2 * 3),
  ]

  var testDescription: String { "\(axes) \(shape), channels \(channels), \(selection)" }

  func axis(_ letter: Character) -> Int? { Array(axes).firstIndex(of: letter) }

  func plan() throws -> LabelPlan {
    try PlannedImage(axes, shape, chunk: chunk).plan(
      .outline(channels: channels, keepsChannelAxis: keepsChannelAxis), selection: selection)
  }

  /// Whether a voxel of the image is to be read.
  func isChosen(_ voxel: [Int]) -> Bool {
    let inChannels = axis("c").map { channels.contains(voxel[$0]) } ?? true
    return inChannels
      && zip(axes, voxel).allSatisfy { selection[$0]?.contains($1) ?? true }
  }
}

/// All positions of a grid.
private func positions(_ shape: [Int]) -> [[Int]] {
  shape.reduce([[]]) { found, size in found.flatMap { one in (0..<size).map { one + [$0] } } }
}

/// The positions of all voxels of a box.
private func voxels(_ box: Region) -> [[Int]] {
  positions(box.shape).map { zip(box.origin, $0).map { $0 + $1 } }
}
