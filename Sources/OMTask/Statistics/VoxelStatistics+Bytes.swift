import OMGrid
public import OMJSON

/// The byte form, version 1, all integers little-endian:
///
///     1  version            1  need          1  data type     1  pass
///     8  count             16  integer sum
///     1  kind of range     16  low          16  high          (integers, or bits of doubles)
///     4  first slot         4  slots        16  each          (floating-point sum)
///     8  first entry        8  entries       8  each          (table, lanes added up)
///
/// Slots and entries are cut to those that are not zero.
extension VoxelStatistics {
  private static let version: UInt8 = 1

  /// The partial as bytes, for messages between ranks and for files.
  public func encoded() -> [UInt8] {
    var writer = ByteWriter()
    writer.write(Self.version)
    writer.write(need.rawValue)
    writer.write(dataType.code)
    writer.write(UInt8(pass))
    writer.write(count)
    writer.write(integerSum)
    switch range {
    case nil: writer.write(UInt8(0), Int128(0), Int128(0))
    case .integers(let low, let high): writer.write(UInt8(1), low, high)
    case .floats(let low, let high):
      writer.write(UInt8(2), Int128(low.bitPattern), Int128(high.bitPattern))
    }
    writer.writeTrimmed(floatSum?.slots ?? [], countedBy: UInt32.self)
    writer.writeTrimmed(foldedTable, countedBy: UInt64.self)
    return writer.bytes
  }

  /// Reads a partial.
  ///
  /// - Throws: `.internal` when the bytes are of another version or not a partial.
  public init(encoded bytes: [UInt8]) throws(Fault) {
    var reader = ByteReader(bytes)
    guard try reader.read(UInt8.self) == Self.version,
      let need = StatisticsNeed(rawValue: try reader.read()),
      let dataType = DataType(code: try reader.read())
    else { throw ByteReader.damage }
    let pass: UInt8 = try reader.read()
    let count: UInt64 = try reader.read()
    let integerSum: Int128 = try reader.read()
    let range = try Self.range(from: &reader, for: dataType)
    if pass == 1 {
      self.init(need: need, dataType: dataType)
      self.range = range
    } else if let range {
      try self.init(need: need, dataType: dataType, within: range)
    } else {
      throw ByteReader.damage
    }
    self.count = count
    self.integerSum = integerSum
    var sum = floatSum
    try reader.readTrimmed(UInt32.self, upTo: sum == nil ? 0 : ExactFloatSum.slotCount) {
      sum?.add(significands: $1, toSlot: $0)
    }
    floatSum = sum
    var table = table
    try reader.readTrimmed(UInt64.self, upTo: table.count) { table[$0] = $1 }
    self.table = table
    guard reader.isAtEnd else { throw ByteReader.damage }
  }

  private static func range(
    from reader: inout ByteReader, for dataType: DataType
  ) throws(Fault) -> VoxelRange? {
    let kind: UInt8 = try reader.read()
    let low: Int128 = try reader.read()
    let high: Int128 = try reader.read()
    switch kind {
    case 0: return nil
    case 1 where !dataType.isFloat:
      guard low <= high, dataType.holds(low), dataType.holds(high) else { throw ByteReader.damage }
      return .integers(low, high)
    case 2 where dataType.isFloat:
      let bounds = [low, high].map { Double(bitPattern: UInt64(truncatingIfNeeded: $0)) }
      guard bounds[0] <= bounds[1], bounds.allSatisfy(dataType.holds) else {
        throw ByteReader.damage
      }
      return .floats(bounds[0], bounds[1])
    default: throw ByteReader.damage
    }
  }
}

extension DataType {
  /// Whether voxels of this integer type can have a value.
  fileprivate func holds(_ value: Int128) -> Bool {
    switch self {
    case .bool, .uint8: UInt8(exactly: value) != nil
    case .int8: Int8(exactly: value) != nil
    case .int16: Int16(exactly: value) != nil
    case .int32: Int32(exactly: value) != nil
    case .int64: Int64(exactly: value) != nil
    case .uint16: UInt16(exactly: value) != nil
    case .uint32: UInt32(exactly: value) != nil
    case .uint64: UInt64(exactly: value) != nil
    case .float16, .float32, .float64: false
    }
  }

  /// Whether voxels of this floating-point type can have a finite value.
  fileprivate func holds(_ value: Double) -> Bool {
    switch self {
    case .float16: Double(Float16(value)) == value && value.isFinite
    case .float32: Double(Float(value)) == value && value.isFinite
    default: value.isFinite
    }
  }

  /// The number of the type in byte forms; never changes.
  fileprivate var code: UInt8 {
    switch self {
    case .bool: 0
    case .int8: 1
    case .int16: 2
    case .int32: 3
    case .int64: 4
    case .uint8: 5
    case .uint16: 6
    case .uint32: 7
    case .uint64: 8
    case .float16: 9
    case .float32: 10
    case .float64: 11
    }
  }

  fileprivate init?(code: UInt8) {
    guard let type = Self.allCases.first(where: { $0.code == code }) else { return nil }
    self = type
  }
}
