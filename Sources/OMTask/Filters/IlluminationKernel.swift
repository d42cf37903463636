public import OMGrid
public import OMJSON

/// Corrects the illumination of one channel; fields of view lie side by side from the first voxel on.
public struct IlluminationKernel: TileKernel {
  private let flat: Profile
  private let dark: Profile?
  private let constant: Double
  private let rounding: VoxelRounding

  /// Makes a kernel.
  ///
  /// - Parameters:
  ///   - flat: The flat field over its largest value; every number is above 0.
  ///   - dark: The dark field, of the same shape.
  ///   - constant: What is subtracted besides.
  ///   - truncates: Whether voxels are cut off instead of rounded to whole numbers.
  public init(flat: Profile, dark: Profile?, constant: Double, truncates: Bool) {
    self.flat = flat
    self.dark = dark
    self.constant = constant
    rounding = truncates ? .truncated : .halfEven
  }

  /// Every voxel for itself.
  public var halo: Vector3 { Vector3(0, 0, 0) }

  /// One row of numbers.
  public func scratchByteCount(_ tile: Vector3) -> Int { 8 * tile.x }

  /// Corrects a tile and counts the voxels that do not fit in the type.
  public func apply<V: Voxel>(
    _ input: Tile<V>, _ output: OutputTile, scratch: TileScratch
  ) throws(Fault) {
    try input.requireFinite()
    let numbers = scratch.room(0, Double.self, count: output.shape.x)
    let largest = output.dataType.largestNumber
    for z in output.origin.z..<output.origin.z + output.shape.z {
      for y in output.origin.y..<output.origin.y + output.shape.y {
        let source = input.row(z: z, y: y) + (output.origin.x - input.origin.x)
        correct(source, y, output.origin.x, output.shape.x, numbers)
        var beyond = 0
        for x in 0..<output.shape.x { beyond &+= numbers[x] > largest ? 1 : 0 }
        scratch.counted += beyond
        rounding.write(
          numbers, count: output.shape.x, to: output.start(z: z, y: y), as: output.dataType)
      }
    }
  }

  /// Corrects one row, field by field.
  private func correct<V: Voxel>(
    _ source: UnsafePointer<V>, _ y: Int, _ start: Int, _ count: Int,
    _ numbers: UnsafeMutablePointer<Double>
  ) {
    let row = y % flat.height * flat.width
    flat.values.withUnsafeBufferPointer { flat in
      var x = 0
      while x < count {
        let column = (start + x) % self.flat.width
        let end = min(count, x + self.flat.width - column)
        for place in x..<end {
          var value = source[place].number
          if let dark {
            value -= dark.values[row + column + place - x]
            value = value > 0 ? value : 0
          }
          value -= constant
          value = value > 0 ? value : 0
          numbers[place] = value / flat[row + column + place - x]
        }
        x = end
      }
    }
  }
}

extension DataType {
  /// The largest number of an integer type; infinity for others.
  fileprivate var largestNumber: Double {
    switch self {
    case .bool: 1
    case .uint8: Double(UInt8.max)
    case .int8: Double(Int8.max)
    case .uint16: Double(UInt16.max)
    case .int16: Double(Int16.max)
    case .uint32: Double(UInt32.max)
    case .int32: Double(Int32.max)
    case .uint64: Double(UInt64.max)
    case .int64: Double(Int64.max)
    case .float16, .float32, .float64: .infinity
    }
  }
}
