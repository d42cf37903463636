import OMCodecs
import OMGrid
import OMJSON
import OMStore
import OMZarr

/// Reads the numbers of a table that AnnData stored as Zarr: the matrix `X`, whose columns `var` names,
/// and the columns of numbers of `obs`.
struct AnnDataNumbers {
  let store: any Store
  let path: String

  func read() throws(Fault) -> TableColumns {
    var columns: [String: TableColumns.Values] = [:]
    let names = try texts(ofIndexOf: "var")
    let matrix = try numbers("X", columns: names.count)
    for (column, name) in names.enumerated() {
      columns[name] = .numbers(
        stride(from: column, to: matrix.count, by: names.count).map { matrix[$0] })
    }
    for name in try frame("obs")["column-order"]?.arrayValue?.compactMap(\.stringValue) ?? [] {
      let key = joinedKey(path, "obs/\(try checkedKey(name, subject: path))")
      // Columns of texts and of categories are no concern here.
      guard let array = try? ZarrArray.open(store, path: key), array.metadata.shape.count == 1
      else { continue }
      columns[name] = .numbers(try numbers(array))
    }
    return TableColumns(columns)
  }

  /// The attributes of a data frame.
  private func frame(_ name: String) throws(Fault) -> JSONObject {
    let key = joinedKey(path, name)
    guard let group = try ZarrGroup.open(store, path: key) else {
      throw Fault(.missing, key, "the table has no such group")
    }
    return group.attributes
  }

  private func texts(ofIndexOf name: String) throws(Fault) -> [String] {
    let key = joinedKey(path, name)
    guard let index = try frame(name)["_index"]?.stringValue else {
      throw Fault(.metadata, key, "`_index` does not name the index of the data frame")
    }
    return try TextArray.read(
      store, path: joinedKey(key, try checkedKey(index, subject: key)))
  }

  private func numbers(_ name: String, columns: Int) throws(Fault) -> [Double] {
    let key = joinedKey(path, name)
    if columns == 0 { return [] }
    let array = try ZarrArray.open(store, path: key)
    guard array.metadata.shape.count == 2, array.metadata.shape[1] == columns else {
      throw Fault(
        .metadata, key,
        "the matrix has the shape \(array.metadata.shape), `var` names \(columns) columns")
    }
    return try numbers(array)
  }

  private func numbers(_ array: ZarrArray) throws(Fault) -> [Double] {
    let count = array.metadata.shape.reduce(1, *)
    let bytes = count * array.metadata.dataType.byteCount
    if bytes > Limits.current.chunk {
      throw Fault(.limit, array.path, "the array has \(bytes) bytes")
    }
    if count == 0 { return [] }
    let buffer = ByteBuffer()
    guard let start = buffer.replace(byteCount: bytes).baseAddress else { return [] }
    do {
      try ChunkReader(array, context: CodecContext())
        .read(Region(wholeOf: array.metadata.shape), into: start)
    } catch {
      throw (error as? Fault) ?? Fault(.internal, array.path, "unexpected error: \(error)")
    }
    return (0..<count).map { number(start, array.metadata.dataType, $0) }
  }
}

private func number(_ start: UnsafeRawPointer, _ type: DataType, _ place: Int) -> Double {
  let voxel = start + place * type.byteCount
  return switch type {
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
