import OMGrid

/// One tile on its way through a `GaussianKernel`.
///
/// A plane of the output is made row by row: a row is smoothed along z and put in a ring of rows;
/// when the ring holds the rows around one of the output, they are smoothed along y to one line,
/// and that along x. So whatever is between two axes stays in the nearest cache.
struct GaussianPass<V: Voxel> {
  private let kernel: GaussianKernel
  private let input: Tile<V>
  private let output: OutputTile
  private let settling: Settling
  /// The columns that are smoothed along z and y: those of the output and their neighbours.
  private let columns: Range<Int>
  /// The line that is smoothed along x, with what lies beyond the volume; its first voxel is
  /// `radius` left of the output.
  private let line: UnsafeMutablePointer<Double>
  private let result: UnsafeMutablePointer<Double>
  private let ring: UnsafeMutablePointer<Double>
  private let planes: UnsafeMutablePointer<UnsafePointer<V>>
  private let rows: UnsafeMutablePointer<UnsafePointer<Double>>

  init(
    _ kernel: GaussianKernel, _ input: Tile<V>, _ output: OutputTile, _ scratch: TileScratch
  ) {
    self.kernel = kernel
    self.input = input
    self.output = output
    settling = Settling(kernel.kind, from: V.dataType, to: output.dataType)
    let halo = kernel.halo
    let (start, end) = (output.origin.x, output.origin.x + output.shape.x)
    columns = max(0, start - halo.x)..<min(input.volume.x, end + halo.x)
    line = scratch.room(0, Double.self, count: output.shape.x + 2 * halo.x)
    result = scratch.room(1, Double.self, count: output.shape.x)
    ring = scratch.room(2, Double.self, count: (2 * halo.y + 1) * columns.count)
    planes = scratch.room(3, UnsafePointer<V>.self, count: 2 * halo.z + 1)
    rows = scratch.room(4, UnsafePointer<Double>.self, count: 2 * halo.y + 1)
  }

  /// Smooths all planes.
  func run() {
    let (radius, volume) = (kernel.halo, input.volume)
    let firstRow = max(0, output.origin.y - radius.y)
    for z in output.origin.z..<output.origin.z + output.shape.z {
      for k in -radius.z...radius.z {
        let plane = kernel.border.inside(z + k, of: volume.z)
        planes[k + radius.z] =
          input.row(z: plane, y: input.origin.y)
          + (columns.lowerBound - input.origin.x)
      }
      var next = firstRow
      for y in output.origin.y..<output.origin.y + output.shape.y {
        while next <= min(y + radius.y, volume.y - 1) {
          smoothAlongZ(row: next)
          next += 1
        }
        smoothAlongY(row: y)
        smoothAlongX()
        write(z: z, y: y)
      }
    }
  }

  /// Where the columns lie in the line, or the result when that is made without the x axis.
  private var smoothedAlongY: UnsafeMutablePointer<Double> {
    guard kernel.weights.x.values != nil else { return result }
    return line + (columns.lowerBound - (output.origin.x - kernel.halo.x))
  }

  private func ringRow(_ y: Int) -> UnsafeMutablePointer<Double> {
    ring + y % (2 * kernel.halo.y + 1) * columns.count
  }

  private func smoothAlongZ(row y: Int) {
    let target = kernel.weights.y.values == nil ? smoothedAlongY : ringRow(y)
    let offset = (y - input.origin.y) * input.shape.x
    guard let weights = kernel.weights.z.values else {
      return readNumbers(planes[0] + offset, into: target, count: columns.count)
    }
    weigh(planes, offset: offset, weights, into: target, count: columns.count)
    settling.apply(to: target, count: columns.count)
  }

  private func smoothAlongY(row y: Int) {
    guard let weights = kernel.weights.y.values else { return }
    let radius = kernel.halo.y
    for k in -radius...radius {
      rows[k + radius] = UnsafePointer(
        ringRow(kernel.border.inside(y + k, of: input.volume.y)))
    }
    let target = smoothedAlongY
    weigh(rows, offset: 0, weights, into: target, count: columns.count)
    settling.apply(to: target, count: columns.count)
  }

  private func smoothAlongX() {
    guard let weights = kernel.weights.x.values else { return }
    let start = output.origin.x - kernel.halo.x
    let end = output.origin.x + output.shape.x + kernel.halo.x
    for x in start..<columns.lowerBound {
      line[x - start] = line[kernel.border.inside(x, of: input.volume.x) - start]
    }
    for x in columns.upperBound..<end {
      line[x - start] = line[kernel.border.inside(x, of: input.volume.x) - start]
    }
    weigh(line + kernel.halo.x, weights, into: result, count: output.shape.x)
    settling.apply(to: result, count: output.shape.x)
  }

  private func write(z: Int, y: Int) {
    let rounding = kernel.kind == .scipy ? .truncated : kernel.rounding
    let start = output.start(z: z, y: y)
    rounding.write(result, count: output.shape.x, to: start, as: output.dataType)
  }
}
