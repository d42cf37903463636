public import OMGrid
public import OMJSON

/// Corrects the illumination of one channel, field of view by field of view.
public struct IlluminationKernel: TileKernel {
  private let flat: Profile
  private let dark: Profile?
  private let fields: [FieldOfView]?
  private let constant: Double
  private let rounding: VoxelRounding

  /// Makes a kernel.
  ///
  /// - Parameters:
  ///   - flat: The flat field over its largest value; every number is above 0.
  ///   - dark: The dark field, of the same shape.
  ///   - fields: The fields of view, as large as the profile in a plane; where they overlap the last one
  ///     counts, and what is in none becomes 0. Nil when they lie side by side from the first voxel on.
  ///   - constant: What is subtracted besides.
  ///   - truncates: Whether voxels are cut off instead of rounded to whole numbers.
  public init(
    flat: Profile, dark: Profile?, fields: [FieldOfView]? = nil, constant: Double, truncates: Bool
  ) {
    self.fields = fields
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
        correct(source, z, y, output.origin.x, output.shape.x, numbers)
        var beyond = 0
        for x in 0..<output.shape.x where numbers[x] > largest {
          beyond &+= 1
          numbers[x] = largest
        }
        scratch.counted += beyond
        rounding.write(
          numbers, count: output.shape.x, to: output.start(z: z, y: y), as: output.dataType)
      }
    }
  }

  /// Corrects one row, field by field.
  private func correct<V: Voxel>(
    _ source: UnsafePointer<V>, _ z: Int, _ y: Int, _ start: Int, _ count: Int,
    _ numbers: UnsafeMutablePointer<Double>
  ) {
    guard let fields else {
      return correct(source, y, start, count, numbers)
    }
    let here = fields.filter { $0.crosses(z: z, y: y, start..<start + count) }
    var x = start
    while x < start + count {
      let last = here.lastIndex { $0.crosses(z: z, y: y, x..<x + 1) }
      // Up to where this field ends, or one after it in the table begins.
      var end = last.map { here[$0].origin.x + here[$0].shape.x } ?? start + count
      for other in here[((last ?? -1) + 1)...] where other.origin.x > x {
        end = min(end, other.origin.x)
      }
      end = min(end, start + count)
      if let last {
        let origin = here[last].origin
        correct(source + (x - start), y - origin.y, x - origin.x, end - x, numbers + (x - start))
      } else {
        (numbers + (x - start)).update(repeating: 0, count: end - x)
      }
      x = end
    }
  }

  /// Corrects a part of a row of fields that lie side by side.
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
  /// The largest number of the type.
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
    case .float16: Double(Float16.greatestFiniteMagnitude)
    case .float32: Double(Float.greatestFiniteMagnitude)
    case .float64: .greatestFiniteMagnitude
    }
  }
}
