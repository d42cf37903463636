import OMGrid
import OMTask
import TestSupport
import Testing

@testable import OMRun

@Suite struct DownsamplerTests {
  @Test(
    arguments: [
      ([3, 1, 3, 1], 1), ([5, 5, 2, 9], 5), ([0, 7, 7, 0], 0), ([0, 0, 0, 4], 0),
      ([9, 8, 7, 6], 6),
      ([255, 255, 1, 2], 255), ([4, 4, 4, 4], 4),
    ] as [([UInt8], UInt8)])
  func `mode takes the most frequent value, of several the smallest`(
    window: [UInt8], expected: UInt8
  ) {
    #expect(made(.mode, window, [2, 2], [1, 1], [2, 2]) == [expected])
    #expect(made(.stride, window, [2, 2], [1, 1], [2, 2]) == [window[0]])
  }

  @Test func `windows at the edge count only voxels that exist`() {
    let fine: [UInt8] = [
      1, 1, 2,
      1, 1, 3,
      5, 6, 4,
    ]
    #expect(made(.mode, fine, [3, 3], [2, 2], [2, 2]) == [1, 2, 5, 4])
    #expect(made(.stride, fine, [3, 3], [2, 2], [2, 2]) == [1, 2, 5, 4])
    // Sizes rounded down leave the last row and column out.
    #expect(made(.mode, fine, [3, 3], [1, 1], [2, 2]) == [1])
  }

  @Test func `ratios differ from axis to axis`() {
    let fine: [UInt8] = [1, 2, 2, 3, 3, 3, 7, 8, 8, 9, 9, 9]
    #expect(made(.mode, fine, [2, 6], [2, 2], [1, 3]) == [2, 3, 8, 9])
    #expect(made(.mode, fine, [2, 6], [1, 6], [2, 1]) == [1, 2, 2, 3, 3, 3])
  }

  static let cases: [([Int], [Int], [Double])] = [
    ([7], [4], [2]), ([5, 6], [3, 3], [2, 2]), ([5, 7], [2, 3], [2, 2]),
    ([4, 5, 9], [4, 3, 5], [1, 2, 2]), ([3, 5, 10], [2, 3, 7], [2, 2, 1.43]),
    ([2, 3, 4, 6], [2, 3, 2, 2], [1, 1, 2, 3]),
  ]

  @Test(arguments: Downsampling.allCases, cases)
  func `every type and shape is made as by hand`(
    method: Downsampling, levels: ([Int], [Int], [Double])
  ) {
    let (fine, coarse, ratios) = levels
    var random = SplitMix(seed: 9)
    let voxels = (0..<fine.reduce(1, *)).map { _ in UInt8(random.next() % 4) }
    let expected = byHand(method, voxels, fine, coarse, ratios)
    #expect(made(method, voxels, fine, coarse, ratios) == expected)
    #expect(
      made(method, voxels.map { UInt16($0) << 8 }, fine, coarse, ratios)
        == expected.map { UInt16($0) << 8 })
    #expect(
      made(method, voxels.map { UInt32($0) << 24 }, fine, coarse, ratios)
        == expected.map { UInt32($0) << 24 })
    #expect(
      made(method, voxels.map { UInt64($0) << 56 }, fine, coarse, ratios)
        == expected.map { UInt64($0) << 56 })
  }

  @Test func `a box within the level comes from a larger buffer`() {
    // Fine voxels 4..<8 x 6..<10 of a level lie in a buffer of 5 x 8.
    let windows = [
      Windows(fine: 12, coarse: 6, ratio: 2), Windows(fine: 12, coarse: 6, ratio: 2),
    ]
    var buffer = [UInt16](repeating: 99, count: 40)
    for y in 0..<4 { for x in 0..<4 { buffer[y * 8 + x] = UInt16(y / 2 * 10 + x / 2) } }
    var out = [UInt16](repeating: 77, count: 5)
    out.withUnsafeMutableBytes { out in
      buffer.withUnsafeBytes { buffer in
        if let target = out.baseAddress, let source = buffer.baseAddress {
          Downsampler(method: .mode, windows: windows).make(
            Region(origin: [2, 3], shape: [2, 2]), target,
            from: Region(origin: [4, 6], shape: [4, 4]), source, bufferShape: [5, 8], byteCount: 2)
        }
      }
    }
    #expect(out == [0, 1, 10, 11, 77])
  }

  private func byHand(
    _ method: Downsampling, _ voxels: [UInt8], _ fine: [Int], _ coarse: [Int], _ ratios: [Double]
  ) -> [UInt8] {
    let windows = fine.indices.map {
      Windows(fine: fine[$0], coarse: coarse[$0], ratio: ratios[$0])
    }
    let strides = rowMajorStrides(fine)
    var made: [UInt8] = []
    forEachPosition(in: Region(wholeOf: coarse)) { position in
      let box = fine.indices.map { windows[$0].window(position[$0]) }
      var values: [UInt8] = []
      forEachPosition(in: Region(origin: box.map(\.lowerBound), shape: box.map(\.count))) { place in
        values.append(voxels[zip(place, strides).reduce(0) { $0 + $1.0 * $1.1 }])
      }
      let counts = Dictionary(values.map { ($0, 1) }, uniquingKeysWith: +)
      let most = counts.values.max()
      made.append(
        method == .stride ? values[0] : counts.filter { $0.value == most }.keys.min() ?? 0)
    }
    return made
  }

  private func made<Label: FixedWidthInteger & BitwiseCopyable>(
    _ method: Downsampling, _ voxels: [Label], _ fine: [Int], _ coarse: [Int], _ ratios: [Double]
  ) -> [Label] {
    let windows = fine.indices.map {
      Windows(fine: fine[$0], coarse: coarse[$0], ratio: ratios[$0])
    }
    var out = [Label](repeating: 0, count: coarse.reduce(1, *))
    out.withUnsafeMutableBytes { out in
      voxels.withUnsafeBytes { voxels in
        if let target = out.baseAddress, let source = voxels.baseAddress {
          Downsampler(method: method, windows: windows).make(
            Region(wholeOf: coarse), target, from: Region(wholeOf: fine), source,
            bufferShape: fine, byteCount: MemoryLayout<Label>.size)
        }
      }
    }
    return out
  }
}
