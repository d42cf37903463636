import Foundation
import FuzzTargets

/// The inputs that are kept for the fuzzer: its seeds, and everything it ever found.
enum StoredInputs {
  private static let fuzz = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Fuzz")

  /// The names of the targets that have a folder of seeds.
  static func folders() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: fuzz.appending(path: "Corpus").path)
      .sorted()
  }

  /// The inputs of a target by the path of their file, in order.
  static func inputs(of target: String) throws -> [(path: String, bytes: [UInt8])] {
    var inputs: [(path: String, bytes: [UInt8])] = []
    for kind in ["Corpus", "Findings"] {
      let folder = fuzz.appending(path: "\(kind)/\(target)")
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
      for name in names.sorted() {
        let bytes = try Data(contentsOf: folder.appending(path: name))
        inputs.append(("Fuzz/\(kind)/\(target)/\(name)", Array(bytes)))
      }
    }
    return inputs
  }
}

/// Spoils inputs, always in the same way for the same seed.
struct Mutator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// A number below `count`.
  private mutating func number(below count: Int) -> Int {
    // SplitMix64
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
    return Int((word ^ word >> 31) % UInt64(max(count, 1)))
  }

  /// The input with a few small damages, of which one may come from another input.
  mutating func spoiled(_ input: [UInt8], by other: [UInt8]) -> [UInt8] {
    var bytes = input
    for _ in 0...number(below: 3) { spoil(&bytes, by: other) }
    return bytes
  }

  private mutating func spoil(_ bytes: inout [UInt8], by other: [UInt8]) {
    let place = number(below: bytes.count)
    let count = number(below: min(bytes.count - place, 24) + 1)
    switch number(below: 7) {
    case 0 where !bytes.isEmpty: bytes[place] ^= 1 << number(below: 8)
    case 1 where !bytes.isEmpty: bytes[place] = UInt8(number(below: 256))
    case 2: bytes.removeSubrange(place..<place + count)
    case 3: bytes.removeSubrange(place...)
    case 4: bytes.insert(contentsOf: bytes[place..<place + count], at: place)
    case 5: bytes.insert(contentsOf: Self.words[number(below: Self.words.count)], at: place)
    default:
      let start = number(below: other.count)
      bytes.replaceSubrange(place..<place + count, with: other[start...].prefix(count))
    }
  }

  private static let words: [[UInt8]] =
    ["9223372036854775807", "-1", "0", "2147483648", "1e400", "null", "[]", "{}", "\"", "..", "\0"]
    .map { Array($0.utf8) } + [Array(repeating: 0xFF, count: 8), Array(repeating: 0, count: 8)]
}
