import OMJSON
import OMObjects
import OMTask
import TestSupport
import Testing

@testable import OMRun

/// Ranks: threads of this process.
@Suite struct ResolutionOnRanksTests {
  static let patterns: [[MaskPattern]] = [
    [.tangled], [.snake], [.spiral], [.comb], [.corners], [.checkerboard], [.full], [.empty],
    [.dense, .empty, .tangled, .sparse],
  ]

  @Test(arguments: patterns, [1, 2, 3, 5])
  func `numbers are the raster ranks of first voxels`(patterns: [MaskPattern], ranks: Int) throws {
    let volume = CutVolumes(patterns, Box.Size(5, 7, 13), block: Box.Size(2, 3, 4))
    for connectivity in Connectivity.allCases {
      try expectNumbers(volume, ObjectRules(connectivity: connectivity), ranks)
    }
  }

  @Test(
    arguments: [
      ObjectRules(connectivity: .faces, minimumSize: 3),
      ObjectRules(connectivity: .full, maximumSize: 4),
      ObjectRules(connectivity: .edges, minimumSize: 2, maximumSize: 9, clearsBorder: true),
      ObjectRules(connectivity: .faces, clearsBorder: true),
      ObjectRules(connectivity: .faces, minimumSize: 2, numbers: false),
      ObjectRules(connectivity: .faces, minimumSize: 1000),
    ], [1, 2, 3, 5])
  func `what is dropped is decided by whole objects`(rules: ObjectRules, ranks: Int) throws {
    for patterns in [[MaskPattern.tangled], [.sparse, .snake, .sparse]] {
      let volume = CutVolumes(patterns, Box.Size(5, 7, 13), block: Box.Size(2, 3, 4))
      try expectNumbers(volume, rules, ranks)
    }
  }

  @Test(arguments: [1, 2, 3, 5])
  func `a selection is numbered on its own`(ranks: Int) throws {
    let part = Box(low: Box.Size(1, 2, 3), high: Box.Size(5, 6, 11))
    let volume = CutVolumes(
      [.tangled, .dense], Box.Size(5, 7, 13), block: Box.Size(2, 3, 4), part: part)
    try expectNumbers(volume, ObjectRules(connectivity: .full, clearsBorder: true), ranks)
    try expectNumbers(volume, ObjectRules(connectivity: .faces), ranks)
  }

  @Test(arguments: [2, 3, 5, 9])
  func `ranks without blocks do no harm`(ranks: Int) throws {
    let volume = CutVolumes([.tangled], Box.Size(2, 3, 8), block: Box.Size(2, 3, 4))
    try expectNumbers(volume, ObjectRules(connectivity: .faces), ranks)
  }

  @Test(arguments: LabelPattern.allCases, [1, 2, 3, 5])
  func `equal values are numbered by their first voxels`(pattern: LabelPattern, ranks: Int) throws {
    let volume = CutVolumes(
      labels: [pattern, .noise], Box.Size(5, 7, 13), block: Box.Size(2, 3, 4))
    for connectivity in Connectivity.allCases {
      try expectNumbers(
        volume, ObjectRules(connectivity: connectivity, comparesValues: true), ranks)
    }
    try expectNumbers(
      volume,
      ObjectRules(
        connectivity: .edges, minimumSize: 3, maximumSize: 40, clearsBorder: true,
        comparesValues: true), ranks)
  }

  /// Expects the numbers that counting through the flooded volumes gives.
  private func expectNumbers(
    _ volume: CutVolumes, _ rules: ObjectRules, _ ranks: Int,
    at place: SourceLocation = #_sourceLocation
  ) throws {
    let truth = expected(volume, rules)
    for isScattered in [false, true] {
      let world = FakeRanks()
      let results = world.run(ranks) { rank -> ([LabelledBlock], Int) in
        let count = volume.blocks.count
        let own = volume.blocks.indices.filter {
          (isScattered ? $0 % ranks : $0 * ranks / count) == rank.rank
        }
        var blocks = own.map { volume.label(volume.blocks[$0], rules.connectivity.order) }
        let openings = blocks.map { $0.opening(in: volume.grid) }
        let total = try ObjectResolution(
          grid: volume.grid, rules: rules, order: rules.connectivity.order, communicator: rank
        )
        .resolve(&blocks, openings)
        return (blocks, total)
      }
      var painted = volume.masks.map { [UInt64](repeating: 0, count: $0.count) }
      for result in results {
        let (blocks, total) = try result.get()
        #expect(total == truth.total, "\(rules)", sourceLocation: place)
        for block in blocks {
          volume.visit(block) { painted[block.block.volume][$0] = block.numbers[$1] }
        }
      }
      #expect(painted == truth.numbers, "\(rules)", sourceLocation: place)
      #expect(world.leftOver == 0, sourceLocation: place)
    }
  }

  private func expected(
    _ volume: CutVolumes, _ rules: ObjectRules
  ) -> (numbers: [[UInt64]], total: Int) {
    var total = 0
    let numbers = volume.floods(rules.connectivity.order).map { flood -> [UInt64] in
      let ids = flood.components.map { object -> UInt64 in
        if rules.clearsBorder && object.touchesBorder { return 0 }
        if let least = rules.minimumSize, object.count < least { return 0 }
        if let most = rules.maximumSize, object.count > most { return 0 }
        total += 1
        return rules.numbers ? UInt64(total) : 1
      }
      return flood.labels.map { $0 == 0 ? 0 : ids[$0 - 1] }
    }
    return (numbers, total)
  }
}
