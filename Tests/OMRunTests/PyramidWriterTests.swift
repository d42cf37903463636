import OMCodecs
import OMGrid
import OMJSON
import OMStore
import OMTask
import OMZarr
import Synchronization
import TestSupport
import Testing

@testable import OMRun

@Suite struct PyramidWriterTests {
  @Test(arguments: Pyramid.all, Downsampling.allCases)
  func `every level is made of the one before, whatever the order of chunks`(
    pyramid: Pyramid, downsampling: Downsampling
  ) throws {
    let voxels = pyramid.voxels(seed: 1)
    let expected = pyramid.levels(voxels, downsampling)
    var first: [String: [UInt8]]?
    for order in ChunkOrder.allCases {
      let store = try pyramid.write(voxels, downsampling, order)
      for level in pyramid.layouts.indices {
        #expect(try pyramid.read(store, level) == expected[level], "level \(level), \(order)")
      }
      let values = store.values
      if let first { #expect(values == first, "\(order)") }
      first = first ?? values
    }
  }

  @Test(arguments: Pyramid.all)
  func `units without objects are not stored`(pyramid: Pyramid) throws {
    let nothing = [UInt16](repeating: 0, count: pyramid.shapes[0].reduce(1, *))
    #expect(try pyramid.write(nothing, .mode, .inOrder).published.isEmpty)
    var one = nothing
    one[0] = 3
    let units = try pyramid.write(one, .stride, .shuffled).published
    #expect(Set(units) == Set(pyramid.layouts.indices.map { pyramid.key($0, unit: 0) }))
  }

  @Test(arguments: Pyramid.all, [0.0, 0.2, 0.5, 0.8, 1.0])
  func `a writer goes on where another one was stopped`(pyramid: Pyramid, share: Double) throws {
    let voxels = pyramid.voxels(seed: 3)
    let undisturbed = try pyramid.write(voxels, .mode, .inOrder).values
    let store = PublishedUnits(pyramid)
    let engine = ThreadEngine(threads: 2)
    let units = pyramid.layouts[0].unitGrid
    var random = SplitMix(seed: 5)
    var order = Array(0..<units.count)
    order.shuffle(using: &random)
    let cut = Int(Double(units.count) * share)
    func bring(_ numbers: some Sequence<Int>, _ writer: PyramidWriter) throws {
      let numbers = Array(numbers)
      try engine.walk(numbers.count) { index, worker in
        let region = units.region(at: units.position(of: numbers[index]))
        try forEachPosition(in: pyramid.chunks(0).cells(touching: region)) { position in
          try pyramid.bring(voxels, position, writer, worker)
        }
      }
    }
    let first = pyramid.writer(.mode, store)
    try bring(order[..<cut], first)
    let finished = pyramid.layouts.indices.map { first.finishedUnits($0) }
    #expect(finished[0] == Set(order[..<cut]))
    let second = pyramid.writer(.mode, store, finished: finished)
    try bring(order[cut...], second)
    try LevelCompletion(writer: second, engine: engine) { level in
      try ZarrArray.open(store.store, path: "\(level)")
    }.run()
    #expect(store.values == undisturbed)
    #expect(Set(store.published).count == store.published.count, "a unit was made twice")
  }

  @Test(arguments: Pyramid.all, [1, 2, 3, 5])
  func `ranks make the same levels together`(pyramid: Pyramid, count: Int) throws {
    let voxels = pyramid.voxels(seed: 2)
    let expected = pyramid.levels(voxels, .mode)
    let store = PublishedUnits(pyramid)
    let ranks = FakeRanks()
    let results = ranks.run(count) { rank in
      let engine = ThreadEngine(threads: 2, communicator: rank)
      let writer = pyramid.writer(.mode, store)
      // Whole units of the finest level have one owner.
      let units = pyramid.layouts[0].unitGrid
      let own = (0..<units.count).filter { $0 * count / units.count == rank.rank }
      try engine.agree {
        try engine.walk(own.count) { index, worker in
          let region = units.region(at: units.position(of: own[index]))
          try forEachPosition(in: pyramid.chunks(0).cells(touching: region)) { position in
            try pyramid.bring(voxels, position, writer, worker)
          }
        }
      }
      try LevelCompletion(writer: writer, engine: engine) { level in
        try ZarrArray.open(store.store, path: "\(level)")
      }.run()
    }
    for result in results { try result.get() }
    for level in pyramid.layouts.indices {
      #expect(try pyramid.read(store, level) == expected[level], "level \(level)")
    }
    #expect(Set(store.published).count == store.published.count, "a unit was written twice")
    #expect(ranks.leftOver == 0)
  }
}

/// In which order chunks come.
enum ChunkOrder: CaseIterable {
  case inOrder, reversed, shuffled, threads
}

/// Takes units as a committer does, and notes who came.
final class PublishedUnits: Sendable {
  let store = MemoryStore()
  private let keys = Mutex<[String]>([])

  init(_ pyramid: Pyramid) {
    for (level, layout) in pyramid.layouts.enumerated() {
      for (name, document) in layout.documents(attributes: [:]) {
        store["\(level)/\(name)"] = document.bytes()
      }
    }
  }

  func publish(_ key: String, _ bytes: UnsafeRawBufferPointer?) {
    guard let bytes else { return }
    store[key] = Array(bytes)
    keys.withLock { $0.append(key) }
  }

  /// The keys of the units in the order in which they came.
  var published: [String] { keys.withLock { $0 } }

  /// The bytes of the units.
  var values: [String: [UInt8]] {
    Dictionary(published.map { ($0, store[$0] ?? []) }) { first, _ in first }
  }
}
