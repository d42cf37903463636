import OMGrid
import OMJSON
import OMTask
import OMZarr
import Testing

@testable import OMTaskTesting

@Suite struct SampleTests {
  @Test func `random numbers are those of SplitMix64 everywhere`() {
    var random = TrialRandom(seed: 0)
    #expect(random.next() == 0xe220_a839_7b1d_cdaf)
    #expect(random.next() == 0x6e78_9e6a_a1b9_65f4)
    #expect(random.order(50).sorted() == Array(0..<50))
  }

  @Test func `numbers that a type has stay, others are spread over it`() throws {
    let sample = try SampleImage([UInt16(0), 7, 200, 255], shape: [2, 2])
    #expect(try sample.converted(to: .uint8).bytes == [0, 7, 200, 255])
    let large = try SampleImage([UInt16(10), 10, 1010, 60_010], shape: [2, 2])
    #expect(try large.converted(to: .uint8).bytes == [0, 0, 4, 255])
    #expect(try large.converted(to: .bool).bytes == [0, 0, 0, 1])
    let thirds = try sample.converted(to: .float32)
    #expect(
      DataType.float32.number(thirds.bytes.withUnsafeBytes { $0.baseAddress! } + 4)
        == Double(Float(7.0 / 3)))
  }

  @Test(arguments: DataType.allCases, DataType.allCases)
  func `every type becomes every other, and numbers keep their order`(
    from: DataType, to: DataType
  ) throws {
    let sample = try SampleImage.blobs(from, shape: [9, 11])
    let made = try sample.converted(to: to)
    #expect(made.dataType == to && made.bytes.count == 99 * to.byteCount)
    let numbers = { (image: SampleImage) in
      image.bytes.withUnsafeBytes { buffer in
        (0..<99).map { image.dataType.number(buffer.baseAddress! + $0 * image.dataType.byteCount) }
      }
    }
    let (before, after) = (numbers(sample), numbers(made))
    for (first, second) in zip(zip(before, after), zip(before, after).dropFirst())
    where first.0 < second.0 { #expect(first.1 <= second.1) }
    #expect(!after.contains { !$0.isFinite })
    if from != .bool { #expect(Set(after).count > 1) }
  }

  @Test func `a box is cut out with the same box of its labels`() throws {
    var sample = try SampleImage(
      (0..<24).map { UInt8($0) }, shape: [2, 3, 4], axes: ["c", "y", "x"])
    try sample.add(label: "a", SampleImage((0..<12).map { UInt16($0) }, shape: [3, 4]))
    let part = try sample.cropped(Region(origin: [1, 1, 2], shape: [1, 2, 2]))
    #expect(part.bytes == [18, 19, 22, 23] && part.origin == [1, 1, 2])
    #expect(part.labels[0].voxels.bytes == [6, 0, 7, 0, 10, 0, 11, 0])
    #expect(try part.halved().bytes == [18])
  }

  @Test func `what does not fit together is refused`() throws {
    #expect(throws: Fault.self) { try SampleImage([UInt8(1), 2], shape: [2, 2]) }
    #expect(throws: Fault.self) {
      try SampleImage([UInt8(1), 2], shape: [1, 2], axes: ["x", "y"])
    }
    var sample = try SampleImage([UInt8(1), 2], shape: [1, 2])
    let label = try SampleImage([UInt8(1), 2], shape: [2, 1])
    #expect(throws: Fault.self) { try sample.add(label: "a", label) }
  }

  @Test func `of a large image the middle is read`() {
    #expect(SampleReader.middle(of: [5, 6], ["y", "x"], 100) == Region(wholeOf: [5, 6]))
    let box = SampleReader.middle(of: [9, 3, 20, 4000, 3000], ["t", "c", "z", "y", "x"], 1 << 20)
    #expect(box.count <= 1 << 20 && box.count > 1 << 19)
    #expect(box.shape[0] == 2 && box.shape[1] == 3 && box.origin[0] == 3)
    #expect(box.origin[3] + box.shape[3] / 2 == 2000)
  }

  @Test(arguments: [[1, 1], [40, 50], [3, 2, 9, 30, 31], [1, 4, 200]])
  func `every layout can be written and has no more than some chunks`(shape: [Int]) throws {
    let sample = try SampleImage.blobs(.uint8, shape: shape)
    var regions: Set<Int> = []
    for seed in 0..<200 {
      var random = TrialRandom(seed: UInt64(seed))
      let layout = TrialLayout(of: sample, &random)
      let array = try layout.array(of: sample)
      #expect(ChunkGrid(arrayShape: shape, cellShape: array.chunkShape).count <= 150)
      regions.insert(layout.regionCount(of: sample))
    }
    #expect(regions.count > 3 || shape == [1, 1])
    #expect(TrialLayout(wholeOf: shape).regionCount(of: sample) == 1)
  }

  @Test func `cases take turns over the types and begin with the whole`() throws {
    let sample = try SampleImage.blobs(.uint8, shape: [9, 30, 31])
    let types: [DataType] = [.uint8, .uint16, .float32]
    let cases = (0..<8).map { TrialCase($0, of: sample, types) }
    #expect(cases[0] == TrialCase(0, of: sample, []))
    #expect(cases[0].box == Region(wholeOf: sample.shape))
    #expect(Set(cases.map(\.dataType)) == Set(types))
    #expect(cases.allSatisfy { Region(wholeOf: sample.shape).contains($0.box) && !$0.box.isEmpty })
  }
}
