public import OMGrid
public import OMJSON

/// Smooths with a Gaussian along z, y and x, bit for bit as `scipy.ndimage.gaussian_filter`.
///
/// The window ends at four sigmas. A voxel is the weight of the centre times the centre plus, from
/// the farthest pair of neighbours to the nearest, their weight times their sum, in double
/// precision. Where no axis is touched and the type stays, voxels are copied.
public struct GaussianKernel: TileKernel {
  /// What happens to numbers between two axes.
  public enum Kind: String, Sendable, CaseIterable {
    /// Integers and `float64` are smoothed in double precision: SciPy's result for the image as
    /// `float64`. `float32` and `float16` are rounded to `float32` after every axis: SciPy's result
    /// for the image as `float32`. One rounding to the type of the output comes last.
    case float
    /// Numbers become voxels of the output after every axis, integers by truncation, as SciPy does
    /// when it smooths an image in the image's own type.
    case scipy
  }

  /// The weights along z, y and x.
  let weights: (z: GaussianWeights, y: GaussianWeights, x: GaussianWeights)
  let border: FilterBorder
  let kind: Kind
  let rounding: VoxelRounding

  /// How far the weights reach.
  public var halo: Vector3 { Vector3(weights.z.radius, weights.y.radius, weights.x.radius) }

  /// Makes a kernel.
  ///
  /// - Parameters:
  ///   - sigma: The standard deviations in voxels; 0 leaves an axis alone.
  ///   - border: What lies beyond the volume.
  ///   - kind: What happens between two axes.
  ///   - rounding: How the last numbers become voxels; of no consequence for the kind `scipy`.
  /// - Precondition: Sigmas are from 0 to 1e6.
  public init(
    sigma: (z: Double, y: Double, x: Double), border: FilterBorder = .reflect,
    kind: Kind = .float, rounding: VoxelRounding = .halfEven
  ) {
    for value in [sigma.z, sigma.y, sigma.x] {
      precondition(value >= 0 && value <= 1e6, "sigma is \(value)")
    }
    weights = (
      GaussianWeights(sigma: sigma.z), GaussianWeights(sigma: sigma.y),
      GaussianWeights(sigma: sigma.x)
    )
    self.border = border
    self.kind = kind
    self.rounding = rounding
  }

  /// Smooths the box of `output`.
  public func apply<V: Voxel>(
    _ input: Tile<V>, _ output: OutputTile, scratch: TileScratch
  ) throws(Fault) {
    try input.requireFinite()
    let untouched = weights.z.values == nil && weights.y.values == nil && weights.x.values == nil
    if untouched && output.dataType.isStored(as: V.self) {
      output.copy(from: input)
    } else {
      GaussianPass.run(self, input, output, scratch)
    }
  }
}
