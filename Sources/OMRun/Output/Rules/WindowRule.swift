import OMGrid

/// The places of the rows of a window, in C order.
typealias FineRows<Voxel> = UnsafeBufferPointer<UnsafePointer<Voxel>>

/// How one voxel of a coarser level is made from a window of the finer one.
///
/// A rule is a value of its own type for each voxel type, so that its loops are compiled for it.
protocol WindowRule {
  associatedtype Voxel: BitwiseCopyable

  /// Whether only the first voxel of a window counts; then `rows` holds only the first row.
  static var looksAtFirst: Bool { get }

  /// Whether the rule copies a window before it looks at it.
  static var needsRoom: Bool { get }

  /// Makes the rule.
  ///
  /// - Parameter room: Room for the voxels of the largest window, 8 bytes for each, if it needs it.
  init(room: UnsafeMutableRawPointer)

  /// Makes one voxel from the window of these rows and columns.
  ///
  /// Columns are counted from the places of the rows.
  func voxel(_ rows: FineRows<Voxel>, _ columns: Range<Int>) -> Voxel

  /// Makes a line of voxels from windows of two columns each, the first at the places of the rows.
  ///
  /// Halving is what nearly all images ask for, so a rule can have vector code for it.
  ///
  /// - Returns: False when nothing was made; then each voxel is made for itself.
  func pairs(_ line: UnsafeMutablePointer<Voxel>, _ count: Int, _ rows: FineRows<Voxel>) -> Bool
}

extension WindowRule {
  static var looksAtFirst: Bool { false }
  static var needsRoom: Bool { false }
}

/// The windows of a box along the last axis.
struct Columns {
  /// The number of windows.
  let count: Int
  /// The first finer voxel of the first window, counted from the first voxel at hand.
  let start: Int
  /// How many of the windows, from the first on, have `factor` columns.
  private let whole: Int
  private let factor: Int
  private let windows: Windows
  private let first: Int

  init(_ coarse: Region, _ fine: Region, _ windows: [Windows]) {
    let last = coarse.rank - 1
    self.windows = windows[last]
    count = coarse.shape[last]
    first = coarse.origin[last]
    start = windows[last].window(first).lowerBound - fine.origin[last]
    factor = windows[last].factor ?? 1
    let end = windows[last].factor.map { windows[last].fine / $0 } ?? 0
    whole = max(0, min(count, end - first))
  }

  /// Makes one line of the coarser level; the rows begin at the first window.
  func make<Rule: WindowRule>(
    _ line: UnsafeMutablePointer<Rule.Voxel>, _ rows: FineRows<Rule.Voxel>, _ rule: Rule
  ) {
    var index = 0
    if factor == 2 && whole > 0 && rule.pairs(line, whole, rows) { index = whole }
    while index < whole {
      line[index] = rule.voxel(rows, index * factor..<(index + 1) * factor)
      index += 1
    }
    if index == count { return }
    let base = windows.window(first).lowerBound
    while index < count {
      let window = windows.window(first + index)
      line[index] = rule.voxel(rows, window.lowerBound - base..<window.upperBound - base)
      index += 1
    }
  }
}

/// The first voxel of the window.
struct FirstVoxel<Voxel: BitwiseCopyable>: WindowRule {
  static var looksAtFirst: Bool { true }

  init(room: UnsafeMutableRawPointer) {}

  func voxel(_ rows: FineRows<Voxel>, _ columns: Range<Int>) -> Voxel {
    rows[0][columns.lowerBound]
  }

  func pairs(_ line: UnsafeMutablePointer<Voxel>, _ count: Int, _ rows: FineRows<Voxel>) -> Bool {
    let row = rows[0]
    for index in 0..<count { line[index] = row[2 * index] }
    return true
  }
}
