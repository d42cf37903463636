import OMGrid
import OMTask

/// Makes the voxels of a coarser level from those of the next finer one.
///
/// `mode` takes the most frequent value of a window and of several the smallest; windows at the
/// edge count only the voxels that exist. `stride` takes the first voxel. Both are the rules of
/// tensorstore's down-sampling (specification: algorithms, section 12).
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
  ///   - byteCount: Bytes of one voxel: 1, 2, 4 or 8, unsigned.
  func make(
    _ coarse: Region, _ target: UnsafeMutableRawPointer, from fine: Region,
    _ source: UnsafeRawPointer, bufferShape shape: [Int], byteCount: Int
  ) {
    switch byteCount {
    case 1: run(coarse, target, fine, source, shape, UInt8.self)
    case 2: run(coarse, target, fine, source, shape, UInt16.self)
    case 4: run(coarse, target, fine, source, shape, UInt32.self)
    default: run(coarse, target, fine, source, shape, UInt64.self)
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

  private func run<Label: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ coarse: Region, _ target: UnsafeMutableRawPointer, _ fine: Region,
    _ source: UnsafeRawPointer, _ shape: [Int], _: Label.Type
  ) {
    let out = target.assumingMemoryBound(to: Label.self)
    let input = source.assumingMemoryBound(to: Label.self)
    switch method {
    case .stride: takeFirsts(coarse, out, fine, input, rowMajorStrides(shape))
    case .mode: takeModes(coarse, out, fine, input, rowMajorStrides(shape))
    }
  }
}

// MARK: - Stride

extension Downsampler {
  private func takeFirsts<Label: BitwiseCopyable>(
    _ coarse: Region, _ out: UnsafeMutablePointer<Label>, _ fine: Region,
    _ input: UnsafePointer<Label>, _ strides: [Int]
  ) {
    let offsets = (0..<coarse.rank).map { axis in
      (coarse.origin[axis]..<coarse.end(axis)).map {
        (windows[axis].window($0).lowerBound - fine.origin[axis]) * strides[axis]
      }
    }
    var target = out
    takeFirsts(offsets[...], input, &target)
  }

  /// Takes the voxels at all sums of one offset per axis, in C order.
  private func takeFirsts<Label: BitwiseCopyable>(
    _ offsets: ArraySlice<[Int]>, _ input: UnsafePointer<Label>,
    _ target: inout UnsafeMutablePointer<Label>
  ) {
    guard let first = offsets.first else { return }
    if offsets.count > 1 {
      for offset in first { takeFirsts(offsets.dropFirst(), input + offset, &target) }
    } else {
      takeLine(first, input, target)
      target += first.count
    }
  }

  private func takeLine<Label: BitwiseCopyable>(
    _ offsets: [Int], _ input: UnsafePointer<Label>, _ line: UnsafeMutablePointer<Label>
  ) {
    let count = offsets.count
    // Every second voxel is what nearly all images ask for; this loop becomes vector code.
    if windows.last?.factor == 2 && offsets[count - 1] == offsets[0] + 2 * (count - 1) {
      let start = input + offsets[0]
      for index in 0..<count { line[index] = start[2 * index] }
    } else {
      for index in 0..<count { line[index] = input[offsets[index]] }
    }
  }
}

// MARK: - Mode

extension Downsampler {
  private func takeModes<Label: FixedWidthInteger & BitwiseCopyable>(
    _ coarse: Region, _ out: UnsafeMutablePointer<Label>, _ fine: Region,
    _ input: UnsafePointer<Label>, _ strides: [Int]
  ) {
    let last = coarse.rank - 1
    let columns = (coarse.origin[last]..<coarse.end(last)).map { index -> Range<Int> in
      let window = windows[last].window(index)
      return window.lowerBound - fine.origin[last]..<window.upperBound - fine.origin[last]
    }
    var rows: [Int] = []
    var before: [Int] = []
    var line = out
    var lines = coarse
    lines.shape[last] = 1
    forEachPosition(in: lines) { position in
      windowRows(position, fine, strides, &rows, &before)
      modeLine(line, input, rows, columns)
      line += columns.count
    }
  }

  /// The offsets of the finer rows that make one coarser row; `before` is room to work in.
  private func windowRows(
    _ position: [Int], _ fine: Region, _ strides: [Int], _ rows: inout [Int],
    _ before: inout [Int]
  ) {
    rows.removeAll(keepingCapacity: true)
    rows.append(0)
    for axis in 0..<position.count - 1 {
      swap(&rows, &before)
      rows.removeAll(keepingCapacity: true)
      for index in windows[axis].window(position[axis]) {
        let offset = (index - fine.origin[axis]) * strides[axis]
        for base in before { rows.append(base + offset) }
      }
    }
  }

  private func modeLine<Label: FixedWidthInteger & BitwiseCopyable>(
    _ line: UnsafeMutablePointer<Label>, _ input: UnsafePointer<Label>, _ rows: [Int],
    _ columns: [Range<Int>]
  ) {
    rows.withUnsafeBufferPointer { rows in
      for index in 0..<columns.count {
        let window = columns[index]
        let first = input[rows[0] + window.lowerBound]
        var differs = false
        for row in rows {
          for x in window where input[row + x] != first { differs = true }
        }
        line[index] = differs ? mode(input, rows, window) : first
      }
    }
  }

  /// The most frequent value of a window, of several the smallest.
  private func mode<Label: FixedWidthInteger & BitwiseCopyable>(
    _ input: UnsafePointer<Label>, _ rows: UnsafeBufferPointer<Int>, _ window: Range<Int>
  ) -> Label {
    var best: Label = 0
    var bestCount = 0
    for row in rows {
      for x in window {
        let value = input[row + x]
        var count = 0
        for other in rows {
          for place in window where input[other + place] == value { count += 1 }
        }
        if count > bestCount || (count == bestCount && value < best) {
          best = value
          bestCount = count
        }
      }
    }
    return best
  }
}
