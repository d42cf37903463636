import Testing

@testable import OMRun

struct ImageSpreadTests {
  @Test(arguments: [
    // One image has no other choice.
    (regions: [100], workers: 4, splits: true),
    (regions: [1], workers: 4, splits: true),
    // One region each: three turns of one worker, or one turn of three.
    (regions: [1, 1, 1], workers: 4, splits: false),
    (regions: [5, 5, 5, 5], workers: 4, splits: false),
    // Alike: cut images leave nobody idle when one is done already.
    (regions: [8, 8, 8, 8], workers: 4, splits: true),
    // The large one would keep one worker busy while others wait.
    (regions: [1000, 1, 1, 1], workers: 4, splits: true),
    (regions: [100, 100, 100], workers: 4, splits: true),
    // The fifth image would be done alone.
    (regions: [40, 40, 40, 40, 40], workers: 4, splits: true),
    // Many images are not even looked at.
    (regions: Array(repeating: 1000, count: 9), workers: 4, splits: false),
    (regions: [7, 7], workers: 1, splits: false),
    // Images that cannot be processed take no time.
    (regions: [0, 0, 9, 0], workers: 2, splits: false),
    (regions: [0, 0, 9], workers: 2, splits: true),
    (regions: [0, 0], workers: 2, splits: true),
  ])
  func `the shorter way is taken`(_ wanted: (regions: [Int], workers: Int, splits: Bool)) {
    #expect(
      ImageSpread.splits(regions: wanted.regions, workers: wanted.workers) == wanted.splits)
  }
}
