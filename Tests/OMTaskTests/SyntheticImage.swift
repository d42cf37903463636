import OMGrid
import OMJSON
import Testing

/// The images of `Fixtures/make_thresholds.py`, made again instead of stored.
struct SyntheticImage: Sendable, CustomTestStringConvertible {
  let dataType: DataType
  let kind: String
  let low: Double
  let span: Double
  let size: Int
  let seed: UInt64

  /// Reads the first six entries of a line of the fixture.
  init?(_ line: [JSON]) {
    guard line.count >= 6, let dataType = line[0].stringValue.flatMap(DataType.init(rawValue:)),
      let kind = line[1].stringValue, let low = line[2].doubleValue,
      let span = line[3].doubleValue, let size = line[4].intValue, let seed = line[5].uint64Value
    else { return nil }
    self.init(dataType, kind, low: low, span: span, size: size, seed: seed)
  }

  init(
    _ dataType: DataType, _ kind: String = "two peaks", low: Double = 0, span: Double = 200,
    size: Int = 600, seed: UInt64 = 7
  ) {
    self.dataType = dataType
    self.kind = kind
    self.low = low
    self.span = span
    self.size = size
    self.seed = seed
  }

  var testDescription: String { "\(dataType) \(kind) \(low)+\(span) ×\(size) seed \(seed)" }

  /// The voxels in native byte order.
  var bytes: [UInt8] {
    var random = Random(state: seed)
    var bytes: [UInt8] = []
    for index in 0..<size {
      let place = place(of: index, &random)
      let real = low + Double(place) / 0x1p32 * span
      let whole = dataType.isFloat ? 0 : Int64(low) + Int64((UInt64(place) * UInt64(span)) >> 32)
      switch dataType {
      case .float16: append(Float16(real))
      case .float32: append(Float(real))
      case .float64: append(real)
      case .bool: append(UInt8(clamping: whole))
      case .uint8: append(UInt8(clamping: whole))
      case .int8: append(Int8(clamping: whole))
      case .uint16: append(UInt16(clamping: whole))
      case .int16: append(Int16(clamping: whole))
      case .uint32: append(UInt32(clamping: whole))
      case .int32: append(Int32(clamping: whole))
      case .uint64: append(UInt64(clamping: whole))
      case .int64: append(whole)
      }
    }
    return bytes

    func append(_ voxel: some BitwiseCopyable) {
      withUnsafeBytes(of: voxel) { bytes.append(contentsOf: $0) }
    }
  }

  /// The grey value as a fraction of the span, times 2^32.
  private func place(of index: Int, _ random: inout Random) -> UInt32 {
    switch kind {
    case "noise": return random.next()
    case "bell": return random.bell()
    case "two peaks":
      let isBright = random.next() % 3 == 0
      return random.bell() / 4 + (isBright ? 5 << 29 : 0)
    case "three peaks": return random.bell() / 8 + ((random.next() % 3) << 30)
    case "dark with spots":
      return random.next() % 32 == 0 ? random.next() / 2 + 1 << 31 : random.bell() / 16
    case "empty with spots": return random.next() % 50 == 0 ? random.next() : 0
    case "one hot voxel": return index == size / 2 ? .max : random.bell() / 64
    case "skewed": return (random.next() >> 16) * (random.next() >> 16)
    case "bright with holes": return .max - (random.next() >> 16) * (random.next() >> 16) / 2
    case "ramp": return UInt32(UInt64(index) << 32 / UInt64(size))
    case "two values": return random.next() % 5 == 0 ? .max : 0
    case "seven values": return random.next() % 7 * (UInt32.max / 6)
    default: return 0
    }
  }
}

/// Knuth's MMIX generator; its upper 32 bits.
private struct Random {
  var state: UInt64

  mutating func next() -> UInt32 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return UInt32(truncatingIfNeeded: state >> 32)
  }

  /// The mean of four.
  mutating func bell() -> UInt32 {
    UInt32((0..<4).reduce(UInt64(0)) { sum, _ in sum + UInt64(next()) } / 4)
  }
}
