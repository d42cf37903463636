import OMGrid

extension VoxelStatistics {
  /// Adds voxels that lie in rows.
  ///
  /// - Parameters:
  ///   - base: The first voxel, of this partial's data type, aligned and in native byte order.
  ///   - rowLength: The number of voxels of a row, which lie side by side.
  ///   - rowCount: The number of rows.
  ///   - rowStride: The number of elements from the start of a row to the start of the next.
  /// - Returns: The offset from `base`, in elements, of the first voxel that is not finite or, in
  ///   pass 2, outside the range of pass 1; nil when there is none. After such a voxel the partial
  ///   is of no use.
  public mutating func add(
    rows base: UnsafeRawPointer, rowLength: Int, rowCount: Int, rowStride: Int
  ) -> Int? {
    guard rowLength > 0, rowCount > 0 else { return nil }
    count &+= UInt64(rowLength * rowCount)
    let rows = VoxelRows(base: base, length: rowLength, count: rowCount, stride: rowStride)
    switch dataType {
    case .bool, .uint8: return addNarrow(rows, flipping: UInt8(0))
    case .int8: return addNarrow(rows, flipping: UInt8(0x80))
    case .uint16: return addNarrow(rows, flipping: UInt16(0))
    case .int16: return addNarrow(rows, flipping: UInt16(0x8000))
    case .uint32: return addWide(rows, UInt32.self)
    case .int32: return addWide(rows, Int32.self)
    case .uint64: return addWide(rows, UInt64.self)
    case .int64: return addWide(rows, Int64.self)
    case .float16: return addFloats(rows, Float16.self)
    case .float32: return addFloats(rows, Float.self)
    case .float64: return addFloats(rows, Double.self)
    }
  }

  /// Counts every level; `signBit` turns the bits of a signed voxel into its place in the table.
  private mutating func addNarrow<Bits: FixedWidthInteger & UnsignedInteger>(
    _ rows: VoxelRows, flipping signBit: Bits
  ) -> Int? {
    withTable { counts in
      rows.firstRefused(Bits.self) { voxels, length in
        if Bits.bitWidth == 8 {
          countInFourLanes(voxels, length, flipping: signBit, counts)
        } else {
          countInTwoLanes(voxels, length, flipping: signBit, counts)
        }
        return nil
      }
    }
  }

  /// Surveys or counts integers of 32 or 64 bits.
  private mutating func addWide<Voxel: FixedWidthInteger>(
    _ rows: VoxelRows, _ type: Voxel.Type
  ) -> Int? {
    if case .levels(let first, let width, _) = scheme {
      return withTable { counts in
        rows.firstRefused(Voxel.self) { voxels, length in
          countLevels(voxels, length, from: Voxel(truncatingIfNeeded: first), width, counts)
        }
      }
    }
    var survey = IntegerSurvey<Voxel>()
    _ = rows.firstRefused(Voxel.self) { voxels, length in
      survey.add(voxels, length)
      return nil
    }
    integerSum &+= survey.sum
    return include(.integers(Int128(survey.low), Int128(survey.high))) ? nil : 0
  }

  /// Surveys or counts floating-point numbers.
  private mutating func addFloats<Voxel: FloatVoxel>(
    _ rows: VoxelRows, _ type: Voxel.Type
  ) -> Int? {
    switch scheme {
    case .singleBins(let bins):
      return withTable { counts in
        rows.firstRefused(Voxel.self) { bins.count($0, $1, in: counts) }
      }
    case .doubleBins(let bins):
      return withTable { counts in
        rows.firstRefused(Voxel.self) { bins.count($0, $1, in: counts) }
      }
    case .fineBins(let bins):
      return withTable { counts in
        rows.firstRefused(Voxel.self) { bins.count($0, $1, in: counts) }
      }
    case .none, .constant, .levels:
      return rows.firstRefused(Voxel.self) { voxels, length in
        guard let survey = FloatSurvey(voxels, length) else {
          return (0..<length).first { !voxels[$0].isFinite }
        }
        floatSum?.add(voxels, length)
        return include(.floats(Double(survey.low), Double(survey.high))) ? nil : 0
      }
    }
  }

  private mutating func withTable(_ body: (UnsafeMutablePointer<UInt64>) -> Int?) -> Int? {
    table.withUnsafeMutableBufferPointer { $0.baseAddress.flatMap(body) }
  }

  /// Widens the range of pass 1; in pass 2 of a constant image says whether it is still constant.
  mutating func include(_ seen: VoxelRange) -> Bool {
    if scheme == .constant { return seen == range }
    range = range.map { $0.union(seen) ?? seen } ?? seen
    return true
  }
}
