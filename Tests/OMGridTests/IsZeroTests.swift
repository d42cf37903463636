import OMGrid
import Testing

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
