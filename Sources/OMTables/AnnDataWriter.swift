import OMCodecs
import OMGrid
import OMImage
import OMJSON
import OMTask
import OMZarr

/// Writes a table as AnnData stores it in Zarr: floating-point columns side by side in `X`, all others
/// below `obs`, the names of the rows as texts in the index of `obs`.
///
/// The layout is that of AnnData's on-disk format 0.1.0, with the dataframe format 0.2.0.
struct AnnDataWriter {
  let zarrFormat: Int
  let put: (String, [UInt8]) throws(Fault) -> Void
  private let context = CodecContext()

  init(zarrFormat: Int, put: @escaping (String, [UInt8]) throws(Fault) -> Void) {
    self.zarrFormat = zarrFormat
    self.put = put
  }

  /// The rows of a chunk at most.
  private static let chunkRows = 1 << 16
  private static let compression = Compression.zstd(level: 3)

  /// The attributes that tell AnnData what a node is.
  static func encoding(_ type: String, _ version: String) -> JSONObject {
    ["encoding-type": .string(type), "encoding-version": .string(version)]
  }

  func write(_ table: Table) throws(Fault) {
    guard let index = table.columns.first else { return }
    let rest = table.columns.dropFirst()
    let numbers = rest.compactMap { column in
      if case .float64(let values) = column.values { (column.name, values) } else { nil }
    }
    let others = rest.filter { if case .float64 = $0.values { false } else { true } }
    try matrix(numbers.map(\.1), rows: table.rowCount)
    try frame("obs", index: index.name, columns: others.map(\.name))
    try strings("obs/\(index.name)", index.values.texts)
    for column in others { try self.column("obs/\(column.name)", column.values) }
    try frame("var", index: "_index", columns: [])
    try strings("var/_index", numbers.map(\.0))
  }

  /// A data frame: a group that names its index and its columns.
  private func frame(_ path: String, index: String, columns: [String]) throws(Fault) {
    var attributes = Self.encoding("dataframe", "0.2.0")
    attributes["_index"] = .string(index)
    attributes["column-order"] = .array(columns.map(JSON.string))
    for document in groupDocuments(path, zarrFormat: zarrFormat, attributes: attributes) {
      try put(document.key, document.bytes)
    }
  }

  private func column(_ path: String, _ values: TableColumn.Values) throws(Fault) {
    switch values {
    case .int64(let values): try array(path, values, .int64)
    case .uint64(let values): try array(path, values, .uint64)
    case .float64(let values): try array(path, values, .float64)
    case .bool(let values): try array(path, values.map { UInt8($0 ? 1 : 0) }, .bool)
    case .string(let values): try strings(path, values)
    }
  }

  // MARK: - Arrays

  private func matrix(_ columns: [[Double]], rows: Int) throws(Fault) {
    var values = [Double](repeating: 0, count: rows * columns.count)
    for (column, numbers) in columns.enumerated() {
      for row in 0..<rows { values[row * columns.count + column] = numbers[row] }
    }
    try array("X", values, .float64, rows: rows, columns: columns.count)
  }

  private func array<Value: BitwiseCopyable>(
    _ path: String, _ values: [Value], _ type: DataType, rows: Int? = nil, columns: Int? = nil
  ) throws(Fault) {
    let width = columns ?? 1
    // Without columns there are no values, and still as many rows.
    let rows = rows ?? values.count
    let chunk = max(1, min(rows, Self.chunkRows))
    let tail = columns.map { [$0] } ?? []
    let layout = try ArrayLayout(
      zarrFormat: zarrFormat, shape: [rows] + tail, dataType: type,
      chunkShape: [chunk] + tail.map { max(1, $0) }, compression: Self.compression)
    for (name, document) in layout.documents(attributes: Self.encoding("array", "0.2.0")) {
      try put("\(path)/\(name)", document.bytes(indent: 2))
    }
    if values.isEmpty { return }
    let encoder = ChunkEncoder(Self.compression, chunkShape: layout.chunkShape, dataType: type)
    for number in 0..<((rows + chunk - 1) / chunk) {
      let start = number * chunk * width
      let end = min(values.count, start + chunk * width)
      var raw = values[start..<end].withUnsafeBytes { Array($0) }
      raw += [UInt8](repeating: 0, count: encoder.decodedByteCount - raw.count)
      let key = layout.unitKey([number] + tail.map { _ in 0 })
      try put("\(path)/\(key)", try encoded(raw, encoder))
    }
  }

  private func encoded(_ bytes: [UInt8], _ encoder: ChunkEncoder) throws(Fault) -> [UInt8] {
    let buffer = ByteBuffer()
    var fault: Fault?
    bytes.withUnsafeBytes { raw in
      guard let start = raw.baseAddress else { return }
      do throws(Fault) {
        _ = try encoder.encode(start, onto: buffer, using: context)
      } catch { fault = error }
    }
    if let fault { throw fault }
    return Array(buffer.bytes)
  }

  private func strings(_ path: String, _ values: [String]) throws(Fault) {
    let chunk = max(1, min(values.count, Self.chunkRows))
    let documents = TextArray.documents(
      zarrFormat: zarrFormat, count: values.count, chunk: chunk, Self.compression,
      attributes: Self.encoding("string-array", "0.2.0"))
    for (name, document) in documents {
      try put("\(path)/\(name)", document.bytes(indent: 2))
    }
    for number in 0..<((values.count + chunk - 1) / chunk) {
      let some = values[number * chunk..<min(values.count, (number + 1) * chunk)]
      let packed = TextCodecs.packed(Array(some), filling: chunk)
      let encoder = ChunkEncoder(
        Self.compression, chunkShape: [packed.count], dataType: .uint8)
      let key = TextArray.key(number, zarrFormat: zarrFormat)
      try put("\(path)/\(key)", try encoded(packed, encoder))
    }
  }
}

extension TableColumn.Values {
  /// The values as texts, for an index.
  var texts: [String] {
    switch self {
    case .int64(let values): values.map { String($0) }
    case .uint64(let values): values.map { String($0) }
    case .float64(let values): values.map(\.description)
    case .string(let values): values
    case .bool(let values): values.map { $0 ? "true" : "false" }
    }
  }
}
