import OMCodecs
import Testing

@Suite struct ByteBufferTests {
  /// Bytes that differ from place to place.
  private func fill(_ buffer: ByteBuffer, from start: Int, to end: Int) {
    let room = buffer.room(for: end - start)
    for index in start..<end { room[index - start] = UInt8(truncatingIfNeeded: index &* 31) }
    buffer.use(end - start)
  }

  private func isFilled(_ buffer: ByteBuffer, to end: Int) -> Bool {
    buffer.count == end
      && buffer.bytes.enumerated().allSatisfy { $1 == UInt8(truncatingIfNeeded: $0 &* 31) }
  }

  @Test(arguments: [
    [10, 100], [1 << 19, 1 << 20], [1 << 20, 3 << 20, (3 << 20) + 1], [5, (1 << 20) - 1, 1 << 21],
  ])
  func `what is in a buffer stays when it grows`(ends: [Int]) {
    let buffer = ByteBuffer()
    var start = 0
    for end in ends {
      fill(buffer, from: start, to: end)
      #expect(isFilled(buffer, to: end))
      start = end
    }
  }

  @Test(arguments: [100, 1 << 21])
  func `memory that is given back is there again when it is wanted`(size: Int) {
    let buffer = ByteBuffer()
    for most in [0, size / 2, size * 4] {
      fill(buffer, from: 0, to: size)
      buffer.removeAll(keepingAtMost: most)
      #expect(buffer.count == 0)
      fill(buffer, from: 0, to: size)
      #expect(isFilled(buffer, to: size))
      buffer.removeAll()
    }
  }

  @Test func `a replaced content has the size that was asked for`() {
    let buffer = ByteBuffer()
    for size in [7, 3 << 20, 11, 1 << 22] {
      let room = buffer.replace(byteCount: size)
      room.initializeMemory(as: UInt8.self, repeating: 9)
      #expect(buffer.bytes.count == size && buffer.bytes.allSatisfy { $0 == 9 })
    }
  }
}
