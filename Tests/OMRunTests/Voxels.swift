import OMGrid
import OMTask
import Testing

@testable import OMRun

/// Voxels of any type: their bytes, and the numbers that they stand for.
struct Voxels: Equatable {
  let dataType: DataType
  var bytes: [UInt8]

  init(_ dataType: DataType, bytes: [UInt8]) {
    self.dataType = dataType
    self.bytes = bytes
  }

  /// Numbers that the type holds or rounds to.
  init(_ dataType: DataType, _ numbers: [Double]) {
    self.init(dataType, bytes: numbers.flatMap { Voxels.bytes(of: $0, dataType) })
  }

  var count: Int { bytes.count / dataType.byteCount }

  /// Room for voxels; every byte is odd, so that a byte that was not written shows.
  init(_ dataType: DataType, roomFor count: Int) {
    self.init(dataType, bytes: Array(repeating: 0xa5, count: count * dataType.byteCount))
  }

  /// The bytes of one voxel.
  subscript(_ index: Int) -> ArraySlice<UInt8> {
    get { bytes[index * dataType.byteCount..<(index + 1) * dataType.byteCount] }
    set { bytes.replaceSubrange(newValue.indices(at: index * dataType.byteCount), with: newValue) }
  }

  /// The numbers; integers beyond 2^53 are rounded.
  var numbers: [Double] {
    bytes.withUnsafeBytes { raw in
      func all<Value: BitwiseCopyable>(_: Value.Type, _ number: (Value) -> Double) -> [Double] {
        (0..<count).map {
          number(raw.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Value>.size, as: Value.self))
        }
      }
      return switch dataType {
      case .bool, .uint8: all(UInt8.self) { Double($0) }
      case .uint16: all(UInt16.self) { Double($0) }
      case .uint32: all(UInt32.self) { Double($0) }
      case .uint64: all(UInt64.self) { Double($0) }
      case .int8: all(Int8.self) { Double($0) }
      case .int16: all(Int16.self) { Double($0) }
      case .int32: all(Int32.self) { Double($0) }
      case .int64: all(Int64.self) { Double($0) }
      case .float16: all(Float16.self) { Double($0) }
      case .float32: all(Float.self) { Double($0) }
      case .float64: all(Double.self) { $0 }
      }
    }
  }

  /// The same voxels, all NaN with the same bits: which bits a NaN has is promised by nobody.
  var withOneNaN: Voxels {
    var same = self
    guard dataType.isFloat else { return same }
    let nan = Voxels(dataType, [.nan])
    for (index, number) in numbers.enumerated() where number.isNaN { same[index] = nan[0] }
    return same
  }

  private static func bytes(of number: Double, _ dataType: DataType) -> [UInt8] {
    func raw(_ value: some BitwiseCopyable) -> [UInt8] { withUnsafeBytes(of: value, Array.init) }
    return switch dataType {
    case .bool, .uint8: raw(UInt8(number))
    case .uint16: raw(UInt16(number))
    case .uint32: raw(UInt32(number))
    case .uint64: raw(UInt64(number))
    case .int8: raw(Int8(number))
    case .int16: raw(Int16(number))
    case .int32: raw(Int32(number))
    case .int64: raw(Int64(number))
    case .float16: raw(Float16(Float(number)))
    case .float32: raw(Float(number))
    case .float64: raw(number)
    }
  }
}

extension ArraySlice {
  /// The places that as many elements take elsewhere.
  fileprivate func indices(at start: Int) -> Range<Int> { start..<start + count }
}

/// Two levels and how the coarser one is made.
struct LevelStep: Sendable, CustomTestStringConvertible {
  let fine: [Int]
  let coarse: [Int]
  let ratios: [Double]

  init(_ fine: [Int], _ coarse: [Int], _ ratios: [Double]) {
    self.fine = fine
    self.coarse = coarse
    self.ratios = ratios
  }

  /// Whole factors; sizes are rounded up.
  init(_ fine: [Int], factors: [Int]) {
    self.init(fine, zip(fine, factors).map { ($0 + $1 - 1) / $1 }, factors.map { Double($0) })
  }

  var testDescription: String { "\(fine) to \(coarse)" }

  var windows: [Windows] {
    fine.indices.map { Windows(fine: fine[$0], coarse: coarse[$0], ratio: ratios[$0]) }
  }

  /// The box of finer voxels of a window, or of all windows of a box.
  func fineBox(_ box: Region) -> Region {
    let ranges = windows.enumerated().map { axis, windows in
      windows.window(box.origin[axis]).lowerBound..<windows.window(box.end(axis) - 1).upperBound
    }
    return Region(origin: ranges.map(\.lowerBound), shape: ranges.map(\.count))
  }

  /// The coarser level, made at once.
  func make(_ method: Downsampling, _ voxels: Voxels) -> Voxels {
    make(method, voxels, Region(wholeOf: coarse), padding: 0)
  }

  /// A box of the coarser level, made of just the finer voxels that it needs.
  ///
  /// They lie in a buffer with as many other bytes behind each axis as `padding` says.
  func make(_ method: Downsampling, _ voxels: Voxels, _ box: Region, padding: Int) -> Voxels {
    let needed = fineBox(box)
    let shape = needed.shape.map { $0 + padding }
    var buffer = Voxels(voxels.dataType, roomFor: shape.reduce(1, *))
    let (from, to) = (rowMajorStrides(fine), rowMajorStrides(shape))
    forEachPosition(in: needed) { position in
      let place = zip(position, needed.origin).map { $0 - $1 }
      buffer[place.at(to)] = voxels[position.at(from)]
    }
    var made = Voxels(voxels.dataType, roomFor: box.count)
    made.bytes.withUnsafeMutableBytes { made in
      buffer.bytes.withUnsafeBytes { buffer in
        guard let target = made.baseAddress, let source = buffer.baseAddress else { return }
        Downsampler(method: method, windows: windows).make(
          box, target, from: needed, source, bufferShape: shape, dataType: voxels.dataType)
      }
    }
    return made
  }

  /// The numbers of each window, in C order.
  func windowNumbers(_ voxels: Voxels) -> [[Double]] {
    let (numbers, strides) = (voxels.numbers, rowMajorStrides(fine))
    var all: [[Double]] = []
    forEachPosition(in: Region(wholeOf: coarse)) { position in
      var window: [Double] = []
      let one = Region(origin: position, shape: coarse.map { _ in 1 })
      forEachPosition(in: fineBox(one)) { window.append(numbers[$0.at(strides)]) }
      all.append(window)
    }
    return all
  }
}

extension [Int] {
  /// The place of a position in an array with these strides.
  func at(_ strides: [Int]) -> Int { zip(self, strides).reduce(0) { $0 + $1.0 * $1.1 } }
}
