/// How the voxels of one axis of a level make those of the next coarser level.
///
/// The factor is a whole number that fits both sizes, whether the coarser size was rounded up or
/// down; of several the one nearest to the ratio of the pixel sizes. Other ratios use windows of
/// unequal length that together cover the axis.
struct Windows: Sendable, Equatable {
  /// The size of the finer level.
  let fine: Int
  /// The size of the coarser level.
  let coarse: Int
  /// The length of a window when all are equal but for the last; nil for unequal windows.
  let factor: Int?

  /// Makes the windows of an axis.
  ///
  /// - Parameters:
  ///   - fine: The size of the finer level.
  ///   - coarse: The size of the coarser level, at least 1 and at most `fine`.
  ///   - ratio: The pixel size of the coarser level over that of the finer one.
  init(fine: Int, coarse: Int, ratio: Double) {
    self.fine = fine
    self.coarse = coarse
    let sizes = Double(fine) / Double(coarse)
    let guesses = [ratio, sizes, sizes.rounded(.up), sizes.rounded(.down)]
    factor =
      guesses.filter { $0 >= 0.5 && $0 < 1e6 }.map { Int($0.rounded()) }.first {
        (fine + $0 - 1) / $0 == coarse || fine / $0 == coarse
      }
  }

  /// The most voxels of a window.
  var longest: Int { factor.map { min($0, fine) } ?? fine / coarse + 1 }

  /// The finer voxels of one coarser voxel; never empty.
  func window(_ index: Int) -> Range<Int> {
    if let factor {
      let start = min(index * factor, fine - 1)
      return start..<min(fine, start + factor)
    }
    let start = index * fine / coarse
    return start..<max(start + 1, (index + 1) * fine / coarse)
  }

  /// The coarser voxels whose windows lie in a range of finer voxels, or nil when a window is cut.
  func coarser(of range: Range<Int>) -> Range<Int>? {
    guard let factor else { return range == 0..<fine ? 0..<coarse : nil }
    guard range.lowerBound % factor == 0,
      range.upperBound % factor == 0 || range.upperBound == fine
    else { return nil }
    let start = min(coarse, range.lowerBound / factor)
    let end = min(coarse, (range.upperBound + factor - 1) / factor)
    return start..<max(start, end)
  }

  /// The coarser voxels whose windows touch a range of finer voxels; perhaps a few more.
  func coarser(touching range: Range<Int>) -> Range<Int> {
    let start: Int
    let end: Int
    if let factor {
      start = range.lowerBound / factor
      end = (range.upperBound + factor - 1) / factor
    } else {
      start = range.lowerBound * coarse / fine - 1
      end = (range.upperBound * coarse + fine - 1) / fine + 1
    }
    let first = min(max(0, start), coarse - 1)
    return first..<max(first + 1, min(coarse, end))
  }
}
