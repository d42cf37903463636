import OMGrid

/// One tile on its way through a `GaussianKernel`.
///
/// A plane of the output is made row by row: a row is smoothed along z and put in a ring of rows;
/// when the ring holds the rows around one of the output, they are smoothed along y to one line,
/// and that along x. So whatever is between two axes stays in the nearest cache. Large planes are
/// made in blocks, one after the other through all planes, so that the planes around one of the
/// output stay in some cache as well.
struct GaussianPass<V: Voxel> {
  private let kernel: GaussianKernel
  private let input: Tile<V>
  private let output: OutputTile
  private let settling: Settling
  /// The rows of the output that are made.
  private let band: Range<Int>
  /// The columns of the output that are made.
  private let stretch: Range<Int>
  /// The columns that are smoothed along z and y: those of the output and their neighbours.
  private let columns: Range<Int>
  /// The line that is smoothed along x, with what lies beyond the volume; its first voxel is
  /// `radius` left of the output.
  private let line: UnsafeMutablePointer<Double>
  private let result: UnsafeMutablePointer<Double>
  private let ring: UnsafeMutablePointer<Double>
  private let planes: UnsafeMutablePointer<UnsafePointer<V>>
  private let rows: UnsafeMutablePointer<UnsafePointer<Double>>

  /// Smooths the tile block by block.
  static func run(
    _ kernel: GaussianKernel, _ input: Tile<V>, _ output: OutputTile, _ scratch: TileScratch
  ) {
    let (origin, shape, halo) = (output.origin, output.shape, kernel.halo)
    for band in pieces(from: origin.y, count: shape.y, atLeast: max(bandHeight, 8 * halo.y)) {
      let shortest = max(stretchLength, 8 * halo.x)
      for stretch in pieces(from: origin.x, count: shape.x, atLeast: shortest) {
        GaussianPass(kernel, input, output, band, stretch, scratch).run()
      }
    }
  }

  private init(
    _ kernel: GaussianKernel, _ input: Tile<V>, _ output: OutputTile, _ band: Range<Int>,
    _ stretch: Range<Int>, _ scratch: TileScratch
  ) {
    self.kernel = kernel
    self.input = input
    self.output = output
    self.band = band
    self.stretch = stretch
    settling = Settling(kernel.kind, from: V.dataType, to: output.dataType)
    let halo = kernel.halo
    columns =
      max(0, stretch.lowerBound - halo.x)..<min(input.volume.x, stretch.upperBound + halo.x)
    line = scratch.room(0, Double.self, count: stretch.count + 2 * halo.x)
    result = scratch.room(1, Double.self, count: stretch.count)
    ring = scratch.room(2, Double.self, count: (2 * halo.y + 1) * columns.count)
    planes = scratch.room(3, UnsafePointer<V>.self, count: 2 * halo.z + 1)
    rows = scratch.room(4, UnsafePointer<Double>.self, count: 2 * halo.y + 1)
  }

  /// Smooths the block in all planes.
  private func run() {
    let (radius, volume) = (kernel.halo, input.volume)
    let firstRow = max(0, band.lowerBound - radius.y)
    for z in output.origin.z..<output.origin.z + output.shape.z {
      for k in -radius.z...radius.z {
        let plane = kernel.border.inside(z + k, of: volume.z)
        planes[k + radius.z] =
          input.row(z: plane, y: input.origin.y)
          + (columns.lowerBound - input.origin.x)
      }
      var next = firstRow
      for y in band {
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
    return line + (columns.lowerBound - (stretch.lowerBound - kernel.halo.x))
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
    let start = stretch.lowerBound - kernel.halo.x
    let end = stretch.upperBound + kernel.halo.x
    for x in start..<columns.lowerBound {
      line[x - start] = line[kernel.border.inside(x, of: input.volume.x) - start]
    }
    for x in columns.upperBound..<end {
      line[x - start] = line[kernel.border.inside(x, of: input.volume.x) - start]
    }
    weigh(line + kernel.halo.x, weights, into: result, count: stretch.count)
    settling.apply(to: result, count: stretch.count)
  }

  private func write(z: Int, y: Int) {
    let rounding = kernel.kind == .scipy ? .truncated : kernel.rounding
    let start =
      output.start(z: z, y: y)
      + (stretch.lowerBound - output.origin.x) * output.dataType.byteCount
    rounding.write(result, count: stretch.count, to: start, as: output.dataType)
  }
}

/// Measured: planes of 1024 x 1024 voxels take a third longer without bands, and short rows a tenth.
private let bandHeight = 128
private let stretchLength = 1024

/// Cuts a range into pieces of nearly the same length.
private func pieces(from start: Int, count: Int, atLeast length: Int) -> [Range<Int>] {
  let number = max(1, count / length)
  return (0..<number).map { start + count * $0 / number..<start + count * ($0 + 1) / number }
}
