import OMGrid

/// The smallest and the largest of some voxels, exact for every data type.
enum VoxelRange: Sendable, Equatable {
  case integers(Int128, Int128)
  case floats(Double, Double)

  /// The smallest value, rounded when it is an integer beyond 2^53.
  var low: Double {
    switch self {
    case .integers(let low, _): Double(low)
    case .floats(let low, _): low
    }
  }

  /// The largest value, rounded when it is an integer beyond 2^53.
  var high: Double {
    switch self {
    case .integers(_, let high): Double(high)
    case .floats(_, let high): high
    }
  }

  /// Whether the smallest and the largest value are one.
  var isConstant: Bool {
    switch self {
    case .integers(let low, let high): low == high
    case .floats(let low, let high): low == high
    }
  }

  /// Both values in the shortest text that reads back as the same voxel.
  func text(of dataType: DataType) -> (low: String, high: String) {
    switch self {
    case .integers(let low, let high): ("\(low)", "\(high)")
    case .floats(let low, let high):
      dataType == .float64 ? ("\(low)", "\(high)") : ("\(Float(low))", "\(Float(high))")
    }
  }

  /// The range of the voxels of both, or nil when one holds integers and the other does not.
  func union(_ other: VoxelRange) -> VoxelRange? {
    switch (self, other) {
    case (.integers(let a, let b), .integers(let c, let d)): .integers(min(a, c), max(b, d))
    case (.floats(let a, let b), .floats(let c, let d)): .floats(min(a, c), max(b, d))
    default: nil
    }
  }
}
