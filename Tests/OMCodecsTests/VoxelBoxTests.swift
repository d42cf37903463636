import OMCodecs
import OMGrid
import Testing

@Suite struct VoxelBoxTests {
  static let boxes: [(source: Region, target: Region)] = [
    (Region(origin: [], shape: []), Region(origin: [], shape: [])),
    (Region(origin: [1], shape: [9]), Region(origin: [3], shape: [4])),
    (Region(origin: [0, 4], shape: [6, 7]), Region(origin: [1, 5], shape: [4, 3])),
    (Region(origin: [1, 0, 3], shape: [2, 5, 2]), Region(origin: [0, 2, 0], shape: [4, 2, 6])),
    (
      Region(origin: [0, 0, 0, 0], shape: [1, 2, 2, 3]),
      Region(origin: [0, 1, 0, 0], shape: [2, 1, 2, 3])
    ),
    (Region(origin: [0, 0], shape: [2, 2]), Region(origin: [2, 0], shape: [2, 2])),
  ]

  @Test(arguments: boxes, [1, 2, 8])
  func `shared voxels arrive in their place and nothing else changes`(
    boxes: (source: Region, target: Region), byteCount: Int
  ) {
    let (source, target) = boxes
    let input = (0..<source.count * byteCount).map { UInt8($0 % 251 + 1) }
    var output = [UInt8](repeating: 0, count: target.count * byteCount)
    output.withUnsafeMutableBytes { output in
      input.withUnsafeBytes { input in
        if let from = input.baseAddress, let to = output.baseAddress {
          VoxelBox(region: target, start: to, elementByteCount: byteCount).copy(from: from, source)
        }
      }
    }
    var expected = [UInt8](repeating: 0, count: output.count)
    if let shared = source.intersection(target) {
      forEachPosition(in: shared) { position in
        let from = offset(position, source) * byteCount
        let to = offset(position, target) * byteCount
        for byte in 0..<byteCount { expected[to + byte] = input[from + byte] }
      }
    }
    #expect(output == expected)
  }

  private func offset(_ position: [Int], _ box: Region) -> Int {
    zip(zip(position, box.origin).map { $0 - $1 }, rowMajorStrides(box.shape))
      .reduce(0) { $0 + $1.0 * $1.1 }
  }
}
