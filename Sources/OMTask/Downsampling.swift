/// How a coarser level is made from the next finer one.
public enum Downsampling: String, Sendable, CaseIterable {
  /// The most frequent value of the window; of several, the smallest.
  case mode
  /// The first voxel of the window.
  case stride
}
