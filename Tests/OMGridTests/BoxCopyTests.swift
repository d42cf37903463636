import OMGrid
import TestSupport
import Testing

@Suite struct BoxCopyTests {
  static let boxes: [(box: Region, source: Region, target: Region)] = [
    (
      Region(origin: [], shape: []), Region(origin: [], shape: []), Region(origin: [], shape: [])
    ),
    (
      Region(origin: [3], shape: [4]), Region(origin: [1], shape: [9]),
      Region(origin: [3], shape: [4])
    ),
    (
      Region(origin: [2, 5], shape: [3, 1]), Region(origin: [0, 4], shape: [6, 7]),
      Region(origin: [1, 5], shape: [4, 3])
    ),
    (
      Region(origin: [1, 2, 3], shape: [2, 2, 2]), Region(origin: [1, 0, 3], shape: [2, 5, 2]),
      Region(origin: [0, 2, 0], shape: [4, 2, 6])
    ),
    (
      Region(origin: [0, 1, 0, 0], shape: [1, 1, 2, 3]),
      Region(origin: [0, 0, 0, 0], shape: [1, 2, 2, 3]),
      Region(origin: [0, 1, 0, 0], shape: [2, 1, 2, 3])
    ),
  ]

  @Test(arguments: boxes, [1, 2, 8])
  func `a box arrives in its place and nothing else changes`(
    boxes: (box: Region, source: Region, target: Region), byteCount: Int
  ) {
    let (box, source, target) = boxes
    let input = (0..<source.count * byteCount).map { UInt8($0 % 251 + 1) }
    var output = [UInt8](repeating: 0, count: target.count * byteCount)
    output.withUnsafeMutableBytes { output in
      input.withUnsafeBytes { input in
        if let from = input.baseAddress, let to = output.baseAddress {
          copyBox(box, from: from, source, to: to, target, byteCount: byteCount)
        }
      }
    }
    var expected = [UInt8](repeating: 0, count: output.count)
    forEachPosition(in: box) { position in
      let from = offset(position, source) * byteCount
      let to = offset(position, target) * byteCount
      for byte in 0..<byteCount { expected[to + byte] = input[from + byte] }
    }
    #expect(output == expected)
  }

  @Test func `an empty box copies nothing`() {
    var byte: UInt8 = 7
    let whole = Region(wholeOf: [1, 1])
    var source: UInt8 = 9
    copyBox(
      Region(origin: [0, 0], shape: [1, 0]), from: &source, whole, to: &byte, whole, byteCount: 1)
    #expect(byte == 7)
  }

  private func offset(_ position: [Int], _ box: Region) -> Int {
    zip(zip(position, box.origin).map { $0 - $1 }, rowMajorStrides(box.shape))
      .reduce(0) { $0 + $1.0 * $1.1 }
  }
}

@Suite struct IsZeroTests {
  @Test(arguments: [0, 1, 7, 8, 63, 64, 65, 128, 200])
  func `one byte anywhere is seen`(count: Int) {
    // Memory that begins at any address, with ones around it.
    for start in [0, 1, 3] {
      var bytes = [UInt8](repeating: 1, count: start + count + 5)
      for index in 0..<count { bytes[start + index] = 0 }
      #expect(isZero(bytes, start, count))
      for index in 0..<count {
        bytes[start + index] = index % 2 == 0 ? 1 : 0x80
        #expect(!isZero(bytes, start, count), "byte \(index)")
        bytes[start + index] = 0
      }
    }
  }

  private func isZero(_ bytes: [UInt8], _ start: Int, _ count: Int) -> Bool {
    bytes.withUnsafeBytes {
      OMGrid.isZero(UnsafeRawBufferPointer(rebasing: $0[start..<start + count]))
    }
  }
}
