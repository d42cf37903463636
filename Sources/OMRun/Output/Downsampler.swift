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

  private func run<Label: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ coarse: Region, _ target: UnsafeMutableRawPointer, _ fine: Region,
    _ source: UnsafeRawPointer, _ shape: [Int], _: Label.Type
  ) {
    let out = target.assumingMemoryBound(to: Label.self)
    let input = source.assumingMemoryBound(to: Label.self)
    let strides = rowMajorStrides(shape)
    let last = coarse.rank - 1
    let columns = (0..<coarse.shape[last]).map { index -> Range<Int> in
      let window = windows[last].window(coarse.origin[last] + index)
      return window.lowerBound - fine.origin[last]..<window.upperBound - fine.origin[last]
    }
    var rows: [Int] = []
    var place = 0
    var lines = coarse
    lines.shape[last] = 1
    forEachPosition(in: lines) { position in
      windowRows(position, fine, strides, &rows)
      let line = out + place
      place += columns.count
      if method == .stride {
        let row = input + rows[0]
        for index in 0..<columns.count { line[index] = row[columns[index].lowerBound] }
      } else {
        modeLine(line, input, rows, columns)
      }
    }
  }

  /// The offsets of the finer rows that make one coarser row.
  private func windowRows(
    _ position: [Int], _ fine: Region, _ strides: [Int], _ rows: inout [Int]
  ) {
    rows.removeAll(keepingCapacity: true)
    rows.append(0)
    for axis in 0..<position.count - 1 {
      let window = windows[axis].window(position[axis])
      let before = rows
      rows.removeAll(keepingCapacity: true)
      for base in before {
        for index in window { rows.append(base + (index - fine.origin[axis]) * strides[axis]) }
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
