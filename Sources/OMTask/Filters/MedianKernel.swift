public import OMGrid
public import OMJSON

/// The median of the voxels around each voxel, as `scipy.ndimage.median_filter`.
///
/// The median of a window is one of its voxels, so the output has the type of the input and is the
/// same for every type. The signs of zeros are not told apart.
public struct MedianKernel: TileKernel {
  /// How far the footprint reaches.
  public let halo: Vector3
  private let border: FilterBorder
  private let spans: [FootprintSpan]
  /// Nil for windows that are too large to be sorted by a network.
  private let plan: MedianPlan?
  /// How many voxels a window has.
  private let windowCount: Int

  /// Windows with more voxels than this are faster with a histogram, where that is possible.
  static let largestNetworkBesideHistogram = 450
  /// Windows with more voxels than this are faster by selection.
  static let largestNetwork = 1500

  /// Makes a kernel.
  ///
  /// - Parameters:
  ///   - radius: How far the footprint reaches along z, y and x; 0 leaves an axis out.
  ///   - footprint: Which voxels within the radius count.
  ///   - border: What lies beyond the volume.
  /// - Precondition: Radii are from 0 to 500.
  public init(
    radius: Vector3, footprint: FilterFootprint = .box, border: FilterBorder = .reflect
  ) {
    for value in [radius.z, radius.y, radius.x] {
      precondition(value >= 0 && value <= 500, "the radius is \(value)")
    }
    halo = radius
    self.border = border
    spans = footprint.spans(radius: radius)
    windowCount = spans.reduce(0) { $0 + 2 * $1.reach + 1 }
    plan =
      windowCount > Self.largestNetwork
      ? nil : MedianPlan(footprint.offsets(radius: radius), footprint, radius: radius)
  }

  /// Computes the medians of the box of `output`.
  ///
  /// - Precondition: The output has the type of the input.
  public func apply<V: Voxel>(
    _ input: Tile<V>, _ output: OutputTile, scratch: TileScratch
  ) throws(Fault) {
    precondition(output.dataType.isStored(as: V.self), "medians have the type of the image")
    try input.requireFinite()
    switch V.dataType {
    case .uint8: runNarrow(input.reread(as: UInt8.self), output, scratch)
    case .int8: runNarrow(input.reread(as: Int8.self), output, scratch)
    case .uint16: runNarrow(input.reread(as: UInt16.self), output, scratch)
    case .int16: runNarrow(input.reread(as: Int16.self), output, scratch)
    case .float16: runNarrow(input.reread(as: Int16.self), output, scratch, holdsKeys: true)
    default: runWide(input, output, scratch)
    }
  }

  private func runNarrow<V: Voxel & FixedWidthInteger>(
    _ input: Tile<V>, _ output: OutputTile, _ scratch: TileScratch, holdsKeys: Bool = false
  ) {
    if windowCount <= Self.largestNetworkBesideHistogram, let plan {
      let rows = MedianRows<V>(plan, scratch)
      forEachRow(input, output, scratch, holdsKeys) { planes, z, y, target, count in
        rows.write(planes, z: z, y: y, to: target, count: count)
      }
    } else {
      var histogram = MedianHistogram<V>(spans, scratch)
      forEachRow(input, output, scratch, holdsKeys) { planes, z, y, target, count in
        histogram.write(planes, z: z, y: y, to: target, count: count)
      }
    }
  }

  private func runWide<V: Voxel>(_ input: Tile<V>, _ output: OutputTile, _ scratch: TileScratch) {
    if let plan {
      let rows = MedianRows<V>(plan, scratch)
      forEachRow(input, output, scratch, false) { planes, z, y, target, count in
        rows.write(planes, z: z, y: y, to: target, count: count)
      }
    } else {
      let selection = MedianSelection<V>(spans, scratch)
      forEachRow(input, output, scratch, false) { planes, z, y, target, count in
        selection.write(planes, z: z, y: y, to: target, count: count)
      }
    }
  }

  private func forEachRow<V: Voxel>(
    _ input: Tile<V>, _ output: OutputTile, _ scratch: TileScratch, _ holdsKeys: Bool,
    _ write: (borrowing PaddedPlanes<V>, Int, Int, UnsafeMutablePointer<V>, Int) -> Void
  ) {
    var planes = PaddedPlanes(
      input, output, radius: halo, border: border, holdsKeys: holdsKeys, scratch)
    for z in output.origin.z..<output.origin.z + output.shape.z {
      planes.move(to: z)
      for y in output.origin.y..<output.origin.y + output.shape.y {
        let target = output.row(z: z, y: y, V.self)
        write(planes, z, y, target, output.shape.x)
        if holdsKeys { HalfKeys.convert(target, count: output.shape.x) }
      }
    }
  }
}

extension Tile {
  /// The same voxels as another type of their size.
  fileprivate func reread<Other: Voxel>(as _: Other.Type) -> Tile<Other> {
    Tile<Other>(
      voxels: UnsafeRawPointer(voxels).assumingMemoryBound(to: Other.self), origin: origin,
      shape: shape, volume: volume)
  }
}
