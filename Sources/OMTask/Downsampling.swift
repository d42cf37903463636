/// How a coarser level is made from the next finer one.
///
/// Every method looks at the voxels of one window; at the edge of the image a window holds only the
/// voxels that exist. The rules are those of tensorstore's down-sampling.
public enum Downsampling: String, Sendable, CaseIterable {
  /// The most frequent value of the window; of several, the smallest.
  case mode
  /// The first voxel of the window.
  case stride
  /// The mean of the window; integers are rounded half to even.
  case mean
  /// The median of the window; of an even number of values, the lower of the two in the middle.
  case median
  /// The smallest value of the window.
  case min
  /// The largest value of the window.
  case max
}
