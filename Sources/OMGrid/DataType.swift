/// The type of one voxel, in memory always in the byte order of this machine.
public enum DataType: String, Sendable, CaseIterable, Hashable {
  case bool
  case int8, int16, int32, int64
  case uint8, uint16, uint32, uint64
  case float16, float32, float64

  /// Bytes of one voxel.
  public var byteCount: Int {
    switch self {
    case .bool, .int8, .uint8: 1
    case .int16, .uint16, .float16: 2
    case .int32, .uint32, .float32: 4
    case .int64, .uint64, .float64: 8
    }
  }

  /// Whether the type is a floating-point type.
  public var isFloat: Bool { self == .float16 || self == .float32 || self == .float64 }

  /// Whether the type is an integer type (not bool).
  public var isInteger: Bool { !isFloat && self != .bool }

  /// Whether the type is an integer type with a sign.
  public var isSigned: Bool { [.int8, .int16, .int32, .int64].contains(self) }
}
