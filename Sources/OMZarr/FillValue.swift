import OMGrid
import OMJSON

/// The value of chunks that are not stored, as the bytes of one voxel on this machine.
struct FillValue {
  let dataType: DataType
  let subject: String

  /// Reads `fill_value` of a v3 array.
  ///
  /// - Throws: `metadata` for a value of another form or range.
  func v3(_ json: JSON?) throws(Fault) -> [UInt8] {
    guard let json else { throw Fault(.metadata, subject, "`fill_value` is missing") }
    if dataType == .bool {
      guard let flag = json.boolValue else { throw wrong(json, "true or false") }
      return [flag ? 1 : 0]
    }
    return try number(json)
  }

  /// Reads `fill_value` of a v2 array; null means that it does not matter and becomes 0.
  ///
  /// - Throws: `metadata` for a value of another form or range.
  func v2(_ json: JSON?) throws(Fault) -> [UInt8] {
    guard let json else { throw Fault(.metadata, subject, "`fill_value` is missing") }
    if json == .null { return Array(repeating: 0, count: dataType.byteCount) }
    if dataType == .bool {
      guard let flag = json.boolValue ?? binary(json) else {
        throw wrong(json, "true or false")
      }
      return [flag ? 1 : 0]
    }
    // Integer arrays with `0.0` occur.
    if dataType.isInteger, json.uint64Value == nil, let whole = json.intValue(integral: true) {
      return try number(JSON(whole))
    }
    return try number(json)
  }

  /// The flag that 0 or 1 stands for.
  private func binary(_ json: JSON) -> Bool? {
    switch json.intValue(integral: true) {
    case 0: false
    case 1: true
    default: nil
    }
  }

  private func number(_ json: JSON) throws(Fault) -> [UInt8] {
    let text = if case .number(let text) = json { text } else { "" }
    let bytes: [UInt8]? =
      switch dataType {
      case .bool: nil
      case .int8: Int8(text).map(rawBytes)
      case .int16: Int16(text).map(rawBytes)
      case .int32: Int32(text).map(rawBytes)
      case .int64: Int64(text).map(rawBytes)
      case .uint8: UInt8(text).map(rawBytes)
      case .uint16: UInt16(text).map(rawBytes)
      case .uint32: UInt32(text).map(rawBytes)
      case .uint64: UInt64(text).map(rawBytes)
      case .float16: float(json, UInt16.self, Float16.init(bitPattern:)).map(rawBytes)
      case .float32: float(json, UInt32.self, Float.init(bitPattern:)).map(rawBytes)
      case .float64: float(json, UInt64.self, Double.init(bitPattern:)).map(rawBytes)
      }
    guard let bytes else {
      throw wrong(json, dataType.isFloat ? "a number" : "a whole number in range")
    }
    return bytes
  }

  /// A number, one of the words for what is no number, or a bit pattern such as `"0x7fc00002"`.
  private func float<Value: BinaryFloatingPoint & LosslessStringConvertible, Bits>(
    _ json: JSON, _: Bits.Type, _ fromBits: (Bits) -> Value
  ) -> Value? where Bits: FixedWidthInteger {
    switch json {
    case .number(let text): return Value(text).flatMap { $0.isFinite ? $0 : nil }
    case .string("NaN"): return .nan
    case .string("Infinity"): return .infinity
    case .string("-Infinity"): return -.infinity
    case .string(let text) where text.hasPrefix("0x"):
      let digits = text.dropFirst(2)
      // A sign is no digit, though it could be read as a part of the number.
      return digits.allSatisfy(\.isHexDigit) ? Bits(digits, radix: 16).map(fromBits) : nil
    default: return nil
    }
  }

  private func wrong(_ json: JSON, _ expected: String) -> Fault {
    Fault(
      .metadata, subject,
      "`fill_value` is \(json.excerpt), expected \(expected) for type \(dataType.rawValue)")
  }
}

/// The bytes of a value as it lies in memory.
private func rawBytes<Value: BitwiseCopyable>(_ value: Value) -> [UInt8] {
  withUnsafeBytes(of: value) { Array($0) }
}
