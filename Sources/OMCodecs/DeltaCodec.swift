import OMGrid
import OMJSON

/// The filter `delta` of numcodecs: the first number, then the differences of neighbours in the order in
/// which they are stored.
///
/// Whole numbers wrap around, so every width of the differences gives back what went in; floating-point
/// numbers are rounded at every step as numcodecs does.
struct DeltaCodec: ByteCodec {
  var name: String { "delta" }
  var compression: Compression? { nil }
  /// The type of the numbers.
  private let type: V2DataType
  /// The type of the differences.
  private let stored: V2DataType

  init(_ settings: CodecSettings) throws(Fault) {
    guard let dtype = settings.configuration["dtype"] else {
      throw Fault(
        .metadata, settings.subject, "`\(settings.place)` lacks the `dtype` of its numbers")
    }
    let astype = settings.configuration["astype"] ?? .null
    do throws(Fault) {
      type = try V2DataType(dtype, in: settings.subject)
      stored = astype == .null ? type : try V2DataType(astype, in: settings.subject)
    } catch {
      throw Fault(
        error.kind, settings.subject, "in `\(settings.place)`: \(error.message)",
        facts: error.facts)
    }
    let isWhole = type.dataType.isInteger && stored.dataType.isInteger
    let isFraction =
      [.float32, .float64].contains(type.dataType) && type.dataType == stored.dataType
    guard isWhole || isFraction else {
      throw Fault(
        .unsupported, settings.subject,
        "`\(settings.place)` stores `\(type.dataType.rawValue)` as differences of type"
          + " `\(stored.dataType.rawValue)`",
        facts: ["supported: integers as integers, float32 and float64 as themselves"])
    }
  }

  func encodedByteCount(of byteCount: Int) -> Int? {
    let count = byteCount / type.dataType.byteCount
    // What no memory holds is refused as a chunk.
    return count > 1 << 48 ? nil : count * stored.dataType.byteCount
  }

  func decode(
    _ encoded: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer,
    using context: CodecContext
  ) throws(Fault) -> UnsafeRawBufferPointer {
    let width = (type.dataType.byteCount, stored.dataType.byteCount)
    guard encoded.count.isMultiple(of: width.1) else {
      throw .noWhole(name, encoded.count, width.1)
    }
    let count = encoded.count / width.1
    guard count <= target.count / width.0 else {
      throw .tooLarge(name, target.count, found: count * width.0)
    }
    switch stored.dataType {
    case .int8: add(Int8.self, encoded, target)
    case .int16: add(Int16.self, encoded, target)
    case .int32: add(Int32.self, encoded, target)
    case .int64: add(Int64.self, encoded, target)
    case .uint8: add(UInt8.self, encoded, target)
    case .uint16: add(UInt16.self, encoded, target)
    case .uint32: add(UInt32.self, encoded, target)
    case .uint64: add(UInt64.self, encoded, target)
    case .float32:
      add(encoded, target, Float.init(bitPattern:), \.bitPattern)
    case .float64:
      add(encoded, target, Double.init(bitPattern:), \.bitPattern)
    case .bool, .float16: throw Fault(.internal, "", "delta data of such a type were refused")
    }
    return UnsafeRawBufferPointer(rebasing: target[..<(count * width.0)])
  }

  /// Adds whole numbers up; the sum has no sign, because that changes no bit of it.
  private func add<Difference: FixedWidthInteger>(
    _: Difference.Type, _ encoded: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer
  ) {
    switch type.dataType.byteCount {
    case 1: add(Difference.self, UInt8.self, encoded, target)
    case 2: add(Difference.self, UInt16.self, encoded, target)
    case 4: add(Difference.self, UInt32.self, encoded, target)
    default: add(Difference.self, UInt64.self, encoded, target)
    }
  }

  private func add<Difference: FixedWidthInteger, Sum: FixedWidthInteger>(
    _: Difference.Type, _: Sum.Type, _ encoded: UnsafeRawBufferPointer,
    _ target: UnsafeMutableRawBufferPointer
  ) {
    let isForeign = (type.byteOrder.isForeign, stored.byteOrder.isForeign)
    var sum: Sum = 0
    for index in 0..<encoded.count / MemoryLayout<Difference>.size {
      let word = encoded.loadUnaligned(
        fromByteOffset: index * MemoryLayout<Difference>.size, as: Difference.self)
      sum &+= Sum(truncatingIfNeeded: isForeign.1 ? word.byteSwapped : word)
      target.storeBytes(
        of: isForeign.0 ? sum.byteSwapped : sum, toByteOffset: index * MemoryLayout<Sum>.size,
        as: Sum.self)
    }
  }

  /// Adds floating-point numbers up, which begin with the first and not with 0: -0 stays what it is.
  private func add<Number: BinaryFloatingPoint, Word: FixedWidthInteger>(
    _ encoded: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer,
    _ number: (Word) -> Number, _ bits: (Number) -> Word
  ) {
    let isForeign = (type.byteOrder.isForeign, stored.byteOrder.isForeign)
    var sum: Number?
    for offset in stride(from: 0, to: encoded.count, by: MemoryLayout<Word>.size) {
      let word = encoded.loadUnaligned(fromByteOffset: offset, as: Word.self)
      let difference = number(isForeign.1 ? word.byteSwapped : word)
      let next = sum.map { $0 + difference } ?? difference
      sum = next
      let made = bits(next)
      target.storeBytes(
        of: isForeign.0 ? made.byteSwapped : made, toByteOffset: offset, as: Word.self)
    }
  }
}
