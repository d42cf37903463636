import OMGrid
import OMJSON
import OMZarr

/// Pixels of one plane as numbers, row by row.
struct Plane {
  /// Pixels in a row.
  let width: Int
  /// The values; NaN stays NaN.
  var values: [Double]

  /// The number of rows.
  var height: Int { width > 0 ? values.count / width : 0 }
}

/// Which voxels of an array become the pixels of a picture.
struct PlaneGrid {
  /// The array axis that runs down the picture.
  let yAxis: Int
  /// The array axis that runs along its rows.
  let xAxis: Int
  /// The index of the plane along every other axis; those of y and x do not count.
  let index: [Int]
  /// The voxel row of each pixel row, ascending.
  let rows: [Int]
  /// The voxel column of each pixel column, ascending.
  let columns: [Int]

  /// The nearest voxel of each of `pixels` pixels that span `voxels` voxels.
  static func places(pixels: Int, over voxels: Int) -> [Int] {
    (0..<pixels).map { (2 * $0 + 1) * voxels / (2 * pixels) }
  }

  /// Reads the pixels, chunk by chunk, so that memory holds the picture and one chunk.
  ///
  /// - Throws: What reading a chunk throws.
  func read(_ reader: ChunkReader) throws -> Plane {
    var values = [Double](repeating: 0, count: rows.count * columns.count)
    guard let firstRow = rows.first, let lastRow = rows.last, let firstColumn = columns.first,
      let lastColumn = columns.last
    else { return Plane(width: columns.count, values: values) }
    var region = Region(origin: index, shape: index.map { _ in 1 })
    region.origin[yAxis] = firstRow
    region.shape[yAxis] = lastRow - firstRow + 1
    region.origin[xAxis] = firstColumn
    region.shape[xAxis] = lastColumn - firstColumn + 1
    let type = reader.array.metadata.dataType
    let fill = reader.array.metadata.fillValue.withUnsafeBytes { bytes in
      bytes.baseAddress.map { number($0, type, at: 0) } ?? 0
    }
    try reader.visit(region) { chunk in
      if let voxels = chunk.voxels {
        forEachPixel(of: chunk.region) { pixel, voxel in
          values[pixel] = number(voxels, type, at: voxel)
        }
      } else {
        forEachPixel(of: chunk.region) { pixel, _ in values[pixel] = fill }
      }
    }
    return Plane(width: columns.count, values: values)
  }

  /// Calls `body` with the place of each pixel that lies in a chunk, in the picture and in the chunk.
  private func forEachPixel(of chunk: Region, _ body: (_ pixel: Int, _ voxel: Int) -> Void) {
    let strides = rowMajorStrides(chunk.shape)
    var plane = 0
    for axis in 0..<chunk.rank where axis != yAxis && axis != xAxis {
      plane += (index[axis] - chunk.origin[axis]) * strides[axis]
    }
    let inColumns = pixels(columns, chunk.origin[xAxis]..<chunk.end(xAxis))
    for row in pixels(rows, chunk.origin[yAxis]..<chunk.end(yAxis)) {
      let start = plane + (rows[row] - chunk.origin[yAxis]) * strides[yAxis]
      for column in inColumns {
        let offset = (columns[column] - chunk.origin[xAxis]) * strides[xAxis]
        body(row * columns.count + column, start + offset)
      }
    }
  }

  /// The pixels whose voxels lie in a range; `places` ascend.
  private func pixels(_ places: [Int], _ range: Range<Int>) -> Range<Int> {
    let first = places.firstIndex { $0 >= range.lowerBound } ?? places.count
    let last = places.lastIndex { $0 < range.upperBound } ?? -1
    return first..<max(first, last + 1)
  }
}

/// The value of one voxel as a number.
///
/// The type is looked at for each voxel: a picture has few of them, whatever the size of the image.
private func number(_ bytes: UnsafeRawPointer, _ type: DataType, at place: Int) -> Double {
  let start = bytes + place * type.byteCount
  return switch type {
  case .bool, .uint8: Double(start.loadUnaligned(as: UInt8.self))
  case .int8: Double(start.loadUnaligned(as: Int8.self))
  case .uint16: Double(start.loadUnaligned(as: UInt16.self))
  case .int16: Double(start.loadUnaligned(as: Int16.self))
  case .uint32: Double(start.loadUnaligned(as: UInt32.self))
  case .int32: Double(start.loadUnaligned(as: Int32.self))
  case .uint64: Double(start.loadUnaligned(as: UInt64.self))
  case .int64: Double(start.loadUnaligned(as: Int64.self))
  case .float16: Double(start.loadUnaligned(as: Float16.self))
  case .float32: Double(start.loadUnaligned(as: Float.self))
  case .float64: start.loadUnaligned(as: Double.self)
  }
}
