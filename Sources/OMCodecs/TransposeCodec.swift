import OMGrid
package import OMJSON

/// The order in which a chunk's axes are stored, and the copy back to array order.
package struct Transposition: Sendable {
  /// The axes longer than 1, in array order: their length and their step in the stored chunk.
  private let axes: [(count: Int, storedStride: Int)]

  /// The order of array axes in the stored chunk: `order[0]` varies slowest.
  ///
  /// - Returns: nil when the bytes lie in array order anyway.
  package init?(order: [Int], chunkShape: [Int]) {
    var strides = chunkShape
    var stride = 1
    for axis in order.reversed() {
      strides[axis] = stride
      stride *= chunkShape[axis]
    }
    axes = zip(chunkShape, strides).filter { $0.0 > 1 }.map { (count: $0.0, storedStride: $0.1) }
    if zip(axes, axes.dropFirst()).allSatisfy({ $0.storedStride > $1.storedStride }) { return nil }
  }

  /// Copies a stored chunk to array order (C order).
  package func restore(
    _ stored: UnsafeRawPointer, to target: UnsafeMutableRawPointer, elementByteCount: Int
  ) {
    switch elementByteCount {
    case 1: restore(stored, to: target, as: UInt8.self)
    case 2: restore(stored, to: target, as: UInt16.self)
    case 4: restore(stored, to: target, as: UInt32.self)
    default: restore(stored, to: target, as: UInt64.self)
    }
  }

  private func restore<Word: FixedWidthInteger>(
    _ stored: UnsafeRawPointer, to target: UnsafeMutableRawPointer, as: Word.Type
  ) {
    let source = stored.assumingMemoryBound(to: Word.self)
    let result = target.assumingMemoryBound(to: Word.self)
    let strides = rowMajorStrides(axes.map(\.count))
    let last = axes.count - 1
    let near = axes.firstIndex { $0.storedStride == 1 } ?? last
    let outer = axes.indices.filter { $0 != near && $0 != last }
    walk(
      outer.map { axes[$0].count }, outer.map { axes[$0].storedStride }, outer.map { strides[$0] }
    ) { sourceStart, targetStart in
      if near == last {
        (result + targetStart).update(from: source + sourceStart, count: axes[last].count)
      } else {
        transposePlane(
          from: source + sourceStart, to: result + targetStart, rows: axes[near].count,
          columns: axes[last].count, sourceStride: axes[last].storedStride,
          targetStride: strides[near])
      }
    }
  }

  /// Copies a plane tile by tile, each through a small buffer.
  ///
  /// Rows and columns often lie a power of two apart and then share few lines of the cache; so each
  /// line is read and written once, and turning happens where all lines fit.
  @inline(__always)
  private func transposePlane<Word: FixedWidthInteger>(
    from source: UnsafePointer<Word>, to target: UnsafeMutablePointer<Word>, rows: Int,
    columns: Int, sourceStride: Int, targetStride: Int
  ) {
    let edge = 32
    withUnsafeTemporaryAllocation(of: Word.self, capacity: edge * edge) { buffer in
      guard let tile = buffer.baseAddress else { return }
      for rowStart in stride(from: 0, to: rows, by: edge) {
        let rowCount = min(edge, rows - rowStart)
        for columnStart in stride(from: 0, to: columns, by: edge) {
          let columnCount = min(edge, columns - columnStart)
          for column in 0..<columnCount {
            let line = source + ((columnStart &+ column) &* sourceStride &+ rowStart)
            (tile + column &* edge).initialize(from: line, count: rowCount)
          }
          for row in 0..<rowCount {
            let line = target + ((rowStart &+ row) &* targetStride &+ columnStart)
            for column in 0..<columnCount { line[column] = tile[column &* edge &+ row] }
          }
        }
      }
    }
  }
}

extension CodecChain {
  /// The order of the array's axes behind the transposes: the first one varies slowest.
  ///
  /// - Throws: `metadata` when a transpose does not name each axis once.
  package func axisOrder(rank: Int) throws(Fault) -> [Int] {
    var order = Array(0..<rank)
    for settings in transposes {
      let json = settings.configuration["order"] ?? .null
      guard let next = JSONShape<[Int]>.integers.value(json), next.sorted() == Array(0..<rank)
      else { throw settings.wrong("order", json, "each number from 0 to \(rank - 1) once") }
      order = next.map { order[$0] }
    }
    return order
  }
}
