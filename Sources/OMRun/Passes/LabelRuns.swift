import OMGrid
import OMJSON
import OMTask
import OMZarr

/// Voxels of one label in one row.
struct LabelRun {
  /// The row, counted from the first row of the lines.
  let row: Int
  /// The voxels, counted from the first one of the row.
  let columns: Range<Int>
  let label: UInt64
}

extension LabelPlan {
  /// Visits the runs of equal voxels of a part that are not 0.
  ///
  /// - Parameters:
  ///   - part: The part.
  ///   - worker: The worker at hand.
  ///   - body: Gets the lines that hold a run, and the run.
  /// - Throws: What reading throws, and `task` for a voxel below 0.
  func forEachRun(
    _ part: VolumePart, _ worker: Worker, _ body: (PlaneLines, LabelRun) throws -> Void
  ) throws {
    try visit(part, worker) { lines in
      switch source.metadata.dataType {
      case .bool, .uint8: try runs(lines, part, UInt8.self, body)
      case .uint16: try runs(lines, part, UInt16.self, body)
      case .uint32: try runs(lines, part, UInt32.self, body)
      case .uint64: try runs(lines, part, UInt64.self, body)
      case .int8: try runs(lines, part, Int8.self, body)
      case .int16: try runs(lines, part, Int16.self, body)
      case .int32: try runs(lines, part, Int32.self, body)
      case .int64: try runs(lines, part, Int64.self, body)
      case .float16, .float32, .float64:
        throw Fault(.unsupported, source.path, "labels are whole numbers, these voxels are not")
      }
    }
  }

  private func runs<Label: FixedWidthInteger & BitwiseCopyable>(
    _ lines: PlaneLines, _ part: VolumePart, _: Label.Type,
    _ body: (PlaneLines, LabelRun) throws -> Void
  ) throws {
    guard let raw = lines.voxels else {
      let fill = source.metadata.fillValue.withUnsafeBytes { $0.loadUnaligned(as: Label.self) }
      if fill == 0 { return }
      let label = try number(fill, lines, part, row: 0, column: 0)
      for row in 0..<lines.rowCount {
        try body(lines, LabelRun(row: row, columns: 0..<lines.rowLength, label: label))
      }
      return
    }
    let voxels = raw.assumingMemoryBound(to: Label.self)
    for row in 0..<lines.rowCount {
      let line = voxels + row * lines.rowStride
      var start = 0
      while start < lines.rowLength {
        let value = line[start]
        var end = start + 1
        while end < lines.rowLength && line[end] == value { end += 1 }
        if value != 0 {
          let label = try number(value, lines, part, row: row, column: start)
          try body(lines, LabelRun(row: row, columns: start..<end, label: label))
        }
        start = end
      }
    }
  }

  private func number<Label: FixedWidthInteger>(
    _ value: Label, _ lines: PlaneLines, _ part: VolumePart, row: Int, column: Int
  ) throws(Fault) -> UInt64 {
    if value > 0 { return UInt64(value) }
    var position = part.source.origin
    if axes.space.count == 3 { position[axes.space[0]] = lines.z }
    position[position.count - 2] = lines.y + row
    position[position.count - 1] = lines.x + column
    throw Fault(
      .task, source.path,
      "voxel \(position.map(String.init).joined(separator: ", ")) is \(value), labels are 0 or more"
    )
  }
}

extension DataType {
  /// The type of labels that are as wide.
  var labelType: DataType {
    switch byteCount {
    case 1: .uint8
    case 2: .uint16
    case 4: .uint32
    default: .uint64
    }
  }
}
