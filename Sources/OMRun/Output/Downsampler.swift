import OMGrid
import OMTask

/// Makes the voxels of a coarser level from those of the next finer one.
///
/// The rules are those of tensorstore 0.1.86 for an array in one chunk (specification: algorithms,
/// section 12), bit for bit: windows at the edge count only the voxels that exist, and what a method
/// does with NaN and with zeros of either sign is said at its `WindowRule`. Two things may differ:
/// which bits a NaN has; and, when the last axis has size 1, which of several values that count as
/// equal (zeros of either sign) or have no order (NaN) `median` and `mode` return. With several
/// chunks tensorstore's own answers to NaN and zeros depend on where chunks end; these do not.
struct Downsampler {
  let method: Downsampling
  /// The windows of each axis.
  let windows: [Windows]

  /// Makes one box of the coarser level.
  ///
  /// - Parameters:
  ///   - coarse: The box of the coarser level; all windows must lie in `fine`.
  ///   - target: Room for `coarse.count` voxels in C order.
  ///   - fine: The box of the finer level at hand.
  ///   - source: Its first voxel.
  ///   - shape: The shape of the buffer that holds it, in C order.
  ///   - dataType: The type of the voxels of both levels.
  func make(
    _ coarse: Region, _ target: UnsafeMutableRawPointer, from fine: Region,
    _ source: UnsafeRawPointer, bufferShape shape: [Int], dataType: DataType
  ) {
    let boxes = Boxes(
      coarse: coarse, target: target, fine: fine, source: source, strides: rowMajorStrides(shape))
    switch dataType {
    // Stored as 0 and 1; their mean is rounded to one of both as that of integers is.
    case .bool, .uint8: makeIntegers(boxes, UInt8.self)
    case .uint16: makeIntegers(boxes, UInt16.self)
    case .uint32: makeIntegers(boxes, UInt32.self)
    case .uint64: makeIntegers(boxes, UInt64.self)
    case .int8: makeIntegers(boxes, Int8.self)
    case .int16: makeIntegers(boxes, Int16.self)
    case .int32: makeIntegers(boxes, Int32.self)
    case .int64: makeIntegers(boxes, Int64.self)
    case .float16: makeFloats(boxes, Float16.self)
    case .float32: makeFloats(boxes, Float.self)
    case .float64: makeFloats(boxes, Double.self)
    }
  }

  /// The box of the coarser level whose windows touch a box of the finer one; perhaps a little more.
  func coarser(touching fine: Region) -> Region {
    var coarse = fine
    for axis in 0..<fine.rank {
      let range = windows[axis].coarser(touching: fine.origin[axis]..<fine.end(axis))
      coarse.origin[axis] = range.lowerBound
      coarse.shape[axis] = range.count
    }
    return coarse
  }
}

// MARK: - One rule, one type

extension Downsampler {
  /// What `make` was given.
  private struct Boxes {
    let coarse: Region
    let target: UnsafeMutableRawPointer
    let fine: Region
    let source: UnsafeRawPointer
    let strides: [Int]
  }

  /// The method, but for levels of one size, where voxels stay as they are: also NaN, which a
  /// minimum or maximum would pass over.
  private var rule: Downsampling { windows.allSatisfy { $0.fine == $0.coarse } ? .stride : method }

  private func makeIntegers<Voxel: IntegerInWindow>(_ boxes: Boxes, _: Voxel.Type) {
    switch rule {
    case .mode: make(boxes, IntegerMode<Voxel>.self)
    case .stride: make(boxes, FirstVoxel<Voxel>.self)
    case .mean: make(boxes, IntegerMean<Voxel>.self)
    case .median: make(boxes, Median<Voxel>.self)
    case .min: make(boxes, Extreme<Voxel, Smaller>.self)
    case .max: make(boxes, Extreme<Voxel, Larger>.self)
    }
  }

  private func makeFloats<Voxel: FloatInWindow>(_ boxes: Boxes, _: Voxel.Type) {
    switch rule {
    case .mode: make(boxes, FloatMode<Voxel>.self)
    case .stride: make(boxes, FirstVoxel<Voxel>.self)
    case .mean: make(boxes, FloatMean<Voxel>.self)
    case .median: make(boxes, Median<Voxel>.self)
    case .min: make(boxes, Extreme<Voxel, Smaller>.self)
    case .max: make(boxes, Extreme<Voxel, Larger>.self)
    }
  }

  private func make<Rule: WindowRule>(_ boxes: Boxes, _: Rule.Type) {
    if boxes.coarse.isEmpty { return }
    let longest = windows.map(\.longest)
    // The rows of a window, and those of each axis before.
    let rows = longest.dropLast().reduce((all: 1, last: 1)) {
      (all: $0.all + $0.last * $1, last: $0.last * $1)
    }
    withUnsafeTemporaryAllocation(of: UnsafePointer<Rule.Voxel>.self, capacity: rows.all) {
      starts in
      // No voxel takes more than 8 bytes, also while a rule sorts it.
      withUnsafeTemporaryAllocation(
        byteCount: Rule.needsRoom ? 8 * rows.last * (longest.last ?? 1) : 0, alignment: 8
      ) { room in
        guard let start = starts.baseAddress, let room = room.baseAddress else { return }
        let columns = Columns(boxes.coarse, boxes.fine, windows)
        start.initialize(
          to: boxes.source.assumingMemoryBound(to: Rule.Voxel.self) + columns.start)
        var line = boxes.target.assumingMemoryBound(to: Rule.Voxel.self)
        makeLines(boxes, 0, start, 1, columns, Rule(room: room), &line)
      }
    }
  }

  /// Makes all lines below one coarser position of the axes before `axis`, in C order.
  ///
  /// `rows` are the places of the `count` rows that the axes before chose, in C order; behind them
  /// lies room for the rows of `axis` and of the axes after it. `line` is where the next line goes.
  private func makeLines<Rule: WindowRule>(
    _ boxes: Boxes, _ axis: Int, _ rows: UnsafeMutablePointer<UnsafePointer<Rule.Voxel>>,
    _ count: Int, _ columns: Columns, _ rule: Rule,
    _ line: inout UnsafeMutablePointer<Rule.Voxel>
  ) {
    if axis == boxes.coarse.rank - 1 {
      columns.make(line, FineRows(start: rows, count: count), rule)
      line += columns.count
      return
    }
    let (origin, stride) = (boxes.fine.origin[axis], boxes.strides[axis])
    let (axisWindows, next) = (windows[axis], rows + count)
    for index in boxes.coarse.origin[axis]..<boxes.coarse.end(axis) {
      var window = axisWindows.window(index)
      if Rule.looksAtFirst { window = window.prefix(1) }
      var filled = 0
      for row in 0..<count {
        for place in window {
          next[filled] = rows[row] + (place - origin) * stride
          filled += 1
        }
      }
      makeLines(boxes, axis + 1, next, filled, columns, rule, &line)
    }
  }
}
