import OMGrid
import OMImage
import OMJSON
import OMRun
import OMTables
import OMTask
import OMZarr

/// What one run made of a sample, all in memory.
struct TrialResult {
  /// One image or table.
  enum Output {
    case image(title: String, axes: [String], levels: [Level])
    case table(title: String, Table)

    var title: String {
      switch self {
      case .image(let title, _, _), .table(let title, _): title
      }
    }
  }

  /// One level of an image.
  struct Level {
    var dataType: DataType
    var shape: [Int]
    var bytes: [UInt8]
  }

  let outputs: [Output]

  /// Reads what a run made.
  ///
  /// - Throws: What reading throws.
  init(_ reports: [OutputReport], of image: ImageLocation) throws {
    outputs = try reports.map { report in
      // An image is named by its folder, whose ending says nothing.
      let name =
        report.name.hasSuffix(".zarr") ? String(report.name.dropLast(5)) : report.name
      let title = "\(report.kind == .levels ? "the levels of" : report.kind.rawValue) \(name)"
      if report.kind == .table {
        guard let table = try TableReader(image).read(report.name) else {
          throw Fault(.internal, report.uri, "the table that was made is not there")
        }
        return .table(title: title, table)
      }
      guard let item = try ImageSource.open(report.uri, filter: WellFilter()).items.first else {
        throw Fault(.internal, report.uri, "the image that was made is not there")
      }
      let made = try OMEImage.open(item.location)
      let levels = try made.arrays().map { array in
        Level(
          dataType: array.metadata.dataType, shape: array.metadata.shape,
          bytes: try SampleReader.read(array, Region(wholeOf: array.metadata.shape)))
      }
      return .image(title: title, axes: made.axes.map(\.letter), levels: levels)
    }
  }

  /// The first place where another result differs; nil when all is equal bit for bit.
  func difference(to trial: TrialResult) -> Difference? {
    if outputs.map(\.title) != trial.outputs.map(\.title) {
      return Difference(
        "the reference made \(Self.list(outputs)), the trial \(Self.list(trial.outputs))")
    }
    return zip(outputs, trial.outputs).lazy.compactMap { mine, theirs in
      switch (mine, theirs) {
      case (.image(let title, let axes, let levels), .image(_, _, let others)):
        Self.difference(title, axes, levels, others)
      case (.table(let title, let table), .table(_, let other)):
        Self.difference(title, table, other)
      default: Difference("the reference made \(mine.title), the trial \(theirs.title)")
      }
    }.first
  }

  private static func list(_ outputs: [Output]) -> String {
    outputs.isEmpty ? "nothing" : outputs.map(\.title).joined(separator: ", ")
  }

  private static func difference(
    _ title: String, _ axes: [String], _ mine: [Level], _ theirs: [Level]
  ) -> Difference? {
    if mine.count != theirs.count {
      return Difference(
        "\(title) has \(mine.count) levels in the reference, \(theirs.count) in the trial")
    }
    for (number, (level, other)) in zip(mine, theirs).enumerated() {
      let name = mine.count > 1 ? "\(title), level \(number)" : title
      if level.dataType != other.dataType || level.shape != other.shape {
        return Difference(
          "\(name) is \(level.dataType) \(level.shape) in the reference, \(other.dataType) "
            + "\(other.shape) in the trial")
      }
      if let voxel = firstDifference(level.bytes, other.bytes, size: level.dataType.byteCount) {
        let position = ChunkGrid(
          arrayShape: level.shape, cellShape: level.shape.map { _ in 1 }
        ).position(of: voxel)
        return Difference(
          of: name, place: zip(axes, position).map { Difference.Place(axis: $0, index: $1) },
          expected: text(level.bytes, voxel, level.dataType),
          found: text(other.bytes, voxel, level.dataType))
      }
    }
    return nil
  }

  private static func difference(_ title: String, _ mine: Table, _ theirs: Table) -> Difference? {
    let names = (mine.columns.map(\.name), theirs.columns.map(\.name))
    if names.0 != names.1 || mine.rowCount != theirs.rowCount {
      return Difference(
        "\(title) has \(mine.rowCount) rows of \(names.0.joined(separator: ", ")) in the reference, "
          + "\(theirs.rowCount) of \(names.1.joined(separator: ", ")) in the trial")
    }
    for (column, other) in zip(mine.columns, theirs.columns) {
      for row in 0..<mine.rowCount {
        let (expected, found) = (column.values.text(row), other.values.text(row))
        if expected != found {
          return Difference(
            "\(title) differs first in row \(row) of `\(column.name)`: \(expected) in the reference, "
              + "\(found) in the trial")
        }
      }
    }
    return nil
  }
}

/// The number of the first value that differs; nil when there is none.
func firstDifference(_ mine: [UInt8], _ theirs: [UInt8], size: Int) -> Int? {
  if mine == theirs { return nil }
  return zip(mine, theirs).enumerated().first { $0.element.0 != $0.element.1 }.map {
    $0.offset / size
  }
}

/// A value of voxels for people.
func text(_ bytes: [UInt8], _ voxel: Int, _ dataType: DataType) -> String {
  bytes.withUnsafeBytes { buffer in
    buffer.baseAddress.map { dataType.text($0 + voxel * dataType.byteCount) } ?? ""
  }
}

extension TableColumn.Values {
  /// A value for people, exactly: numbers that print the same are the same.
  fileprivate func text(_ row: Int) -> String {
    switch self {
    case .int64(let values): "\(values[row])"
    case .uint64(let values): "\(values[row])"
    case .float64(let values): "\(values[row])"
    case .string(let values): values[row]
    case .bool(let values): "\(values[row])"
    }
  }
}
