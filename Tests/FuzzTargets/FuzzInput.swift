/// The bytes of an input, taken apart.
struct FuzzInput {
  private var rest: UnsafeRawBufferPointer

  init(_ bytes: UnsafeRawBufferPointer) { rest = bytes }

  /// All bytes that were not taken.
  var remaining: UnsafeRawBufferPointer { rest }

  /// The next byte; 0 at the end.
  mutating func byte() -> UInt8 {
    guard let first = rest.first else { return 0 }
    rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst())
    return first
  }

  /// The bytes up to the next zero byte, which occurs in no text, or all that are left.
  mutating func part() -> [UInt8] {
    let part = Array(rest.prefix { $0 != 0 })
    rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(part.count + 1))
    return part
  }

  /// Whether nothing is left.
  var isEmpty: Bool { rest.isEmpty }

  /// The next part as text; bytes that are no UTF-8 are replaced.
  mutating func text() -> String { String(decoding: part(), as: UTF8.self) }
}

/// Memory of an exact size with a known pattern on both sides.
///
/// The sanitizer finds writes beyond it too; the pattern finds them in ordinary tests.
struct GuardedMemory: ~Copyable {
  private let memory: UnsafeMutableRawBufferPointer
  private let byteCount: Int
  private static let margin = 64
  private static let pattern: UInt8 = 0xA5

  init(byteCount: Int) {
    self.byteCount = byteCount
    memory = .allocate(byteCount: byteCount + 2 * Self.margin, alignment: 64)
    memory.initializeMemory(as: UInt8.self, repeating: Self.pattern)
  }

  deinit { memory.deallocate() }

  /// The memory between the patterns.
  var bytes: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(rebasing: memory[Self.margin..<Self.margin + byteCount])
  }

  /// Whether nobody wrote beside it.
  var isIntact: Bool {
    memory.prefix(Self.margin).allSatisfy { $0 == Self.pattern }
      && memory.suffix(Self.margin).allSatisfy { $0 == Self.pattern }
  }
}
