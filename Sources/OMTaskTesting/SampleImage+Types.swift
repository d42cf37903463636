public import OMGrid
public import OMJSON
import OMTask

extension SampleImage {
  /// The same image in another type; label images stay as they are.
  ///
  /// Numbers stay where the type has them all, otherwise they are spread over it. Whole numbers
  /// become thirds in a floating-point type, so that sums of them have to be rounded.
  func converted(to target: DataType) throws(Fault) -> SampleImage {
    if target == dataType { return self }
    let spread = Spread(of: self, over: target)
    return try mapped(to: target, spread.value).with(labels: labels)
  }

  /// The voxels of another type that some numbers become.
  private func mapped(
    to target: DataType, _ value: (Double) -> Double
  ) throws(Fault) -> SampleImage {
    let count = shape.reduce(1, *)
    var made = [UInt8](repeating: 0, count: count * target.byteCount)
    bytes.withUnsafeBytes { source in
      made.withUnsafeMutableBytes { result in
        guard let from = source.baseAddress, let to = result.baseAddress else { return }
        for index in 0..<count {
          withUnsafePointer(to: value(dataType.number(from + index * dataType.byteCount))) {
            VoxelRounding.halfEven.write(
              $0, count: 1, to: to + index * target.byteCount, as: target)
          }
        }
      }
    }
    return try with(made, target, shape: shape)
  }

  /// Bright blobs of many sizes on a noisy ground, the same for the same seed.
  ///
  /// - Parameters:
  ///   - dataType: The type of the voxels; whole numbers lie from 0 to 60000 or as far as the type
  ///     goes, others from 0 to 1000.
  ///   - shape: The size along each axis, of t, c, z, y, x the last ones.
  ///   - seed: Another number makes another image.
  /// - Returns: The image.
  /// - Throws: A fault of kind `usage` for a shape that no image has.
  public static func blobs(
    _ dataType: DataType, shape: [Int], seed: Int = 1
  ) throws(Fault) -> SampleImage {
    var random = TrialRandom(seed: UInt64(truncatingIfNeeded: seed))
    let count = shape.reduce(1, *)
    var values = [Double](repeating: 0, count: count)
    for index in values.indices { values[index] = Double(random.below(1000)) * 0.3 }
    let rank = shape.count
    let space = max(2, min(3, rank))
    for _ in 0..<max(3, count / 2000) {
      let radius = 1 + random.below(6)
      let centre = shape.map { random.below($0) }
      let bright = Double(300 + random.below(700))
      var box = Region(origin: centre, shape: shape.map { _ in 1 })
      for axis in max(0, rank - space)..<rank {
        box.origin[axis] = max(0, centre[axis] - radius)
        box.shape[axis] = min(shape[axis], centre[axis] + radius + 1) - box.origin[axis]
      }
      let strides = rowMajorStrides(shape)
      forEachPosition(in: box) { position in
        let distance = position.indices.reduce(0) {
          $0 + (position[$1] - centre[$1]) * (position[$1] - centre[$1])
        }
        if distance > radius * radius { return }
        values[position.indices.reduce(0) { $0 + position[$1] * strides[$1] }] = bright
      }
    }
    let factor = dataType.isFloat ? 1 : min(60_000, dataType.highest) / 1000
    return try SampleImage(values, shape: shape).mapped(to: dataType) { $0 * factor }
  }
}

/// How numbers of one type become numbers of another.
private struct Spread {
  private let low: Double
  private let factor: Double
  private let start: Double

  init(of image: SampleImage, over target: DataType) {
    var (least, most, isWhole) = (Double.infinity, -Double.infinity, true)
    image.bytes.withUnsafeBytes { source in
      guard let from = source.baseAddress else { return }
      for index in 0..<image.shape.reduce(1, *) {
        let number = image.dataType.number(from + index * image.dataType.byteCount)
        guard number.isFinite else { continue }
        least = min(least, number)
        most = max(most, number)
        if number != number.rounded() { isWhole = false }
      }
    }
    if least > most { (least, most) = (0, 0) }
    let fits = least >= target.lowest && most <= target.highest
    if target.isFloat {
      (low, start) = (0, 0)
      let largest = max(abs(least), abs(most), 1)
      factor = fits ? (image.dataType.isFloat ? 1 : 1 / 3) : 10_000 / largest
    } else if fits && isWhole && target != .bool {
      (low, start, factor) = (0, 0, 1)
    } else {
      let top = min(60_000, target.highest)
      (low, start) = (least, max(target.lowest, -20_000))
      factor = most > least ? (top - max(target.lowest, -20_000)) / (most - least) : 0
    }
  }

  func value(_ number: Double) -> Double { (number - low) * factor + start }
}

extension DataType {
  /// The lowest number.
  fileprivate var lowest: Double {
    switch self {
    case .bool, .uint8, .uint16, .uint32, .uint64: 0
    case .int8: -128
    case .int16: -32_768
    case .int32: -0x1p31
    case .int64: -0x1p63
    case .float16: -65_504
    case .float32: -Double(Float.greatestFiniteMagnitude)
    case .float64: -Double.greatestFiniteMagnitude
    }
  }

  /// The highest number, of 64 bits the highest that a double has exactly.
  fileprivate var highest: Double {
    switch self {
    case .bool: 1
    case .uint8: 255
    case .int8: 127
    case .uint16: 65_535
    case .int16: 32_767
    case .uint32: 0x1p32 - 1
    case .int32: 0x1p31 - 1
    case .uint64, .int64: 0x1p53
    case .float16: 65_504
    case .float32: Double(Float.greatestFiniteMagnitude)
    case .float64: Double.greatestFiniteMagnitude
    }
  }

  /// A voxel as a number.
  func number(_ voxel: UnsafeRawPointer) -> Double {
    switch self {
    case .bool, .uint8: Double(voxel.loadUnaligned(as: UInt8.self))
    case .int8: Double(voxel.loadUnaligned(as: Int8.self))
    case .uint16: Double(voxel.loadUnaligned(as: UInt16.self))
    case .int16: Double(voxel.loadUnaligned(as: Int16.self))
    case .uint32: Double(voxel.loadUnaligned(as: UInt32.self))
    case .int32: Double(voxel.loadUnaligned(as: Int32.self))
    case .uint64: Double(voxel.loadUnaligned(as: UInt64.self))
    case .int64: Double(voxel.loadUnaligned(as: Int64.self))
    case .float16: Double(voxel.loadUnaligned(as: Float16.self))
    case .float32: Double(voxel.loadUnaligned(as: Float.self))
    case .float64: voxel.loadUnaligned(as: Double.self)
    }
  }
}
