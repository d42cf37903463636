public import OMGrid
public import OMJSON

/// How far labels grow into the voxels of 0 around them.
///
/// A voxel takes the label of the nearest voxel that has one, when that is at most `distance` away. The
/// distance is the square root of the sum of squares along z, y and x, added in this order in
/// float64. Of several nearest voxels that of the smallest x counts, of these that of the smallest y,
/// then z. That is `skimage.segmentation.expand_labels`, whose ties are those of SciPy's
/// distance transform.
public struct LabelExpansion: Sendable, Equatable {
  /// The unit of a distance.
  public enum Unit: String, Sendable, CaseIterable {
    case pixel, micrometer
  }

  /// How far labels grow at most.
  public var distance: Double
  /// The unit of the distance.
  public var unit: Unit
  /// Whether labels grow in the volume, or in every plane.
  public var axes: LabelFilter.Axes
  /// The size of a voxel along z, y and x, in units of the distance.
  private var spacing: (z: Double, y: Double, x: Double) = (1, 1, 1)

  /// The widest halo along an axis, in voxels.
  private static let widest = 1000

  /// Makes it, for voxels of size 1.
  public init(distance: Double, unit: Unit, axes: LabelFilter.Axes) {
    self.distance = distance
    self.unit = unit
    self.axes = axes
  }

  /// Whether two do the same.
  public static func == (one: Self, other: Self) -> Bool {
    one.distance == other.distance && one.unit == other.unit && one.axes == other.axes
      && one.spacing == other.spacing
  }

  /// Takes the size of voxels from the image that holds the labels.
  ///
  /// - Throws: A fault of kind `usage` when micrometres say nothing there, or the way is too long.
  public func measured(in image: ImageInfo, level: Int) throws(Fault) -> LabelExpansion {
    var known = self
    if unit == .micrometer {
      let size = try image.micrometersAlongSpace(level: level)
      known.spacing = (abs(size.z), abs(size.y), abs(size.x))
    }
    let (z, y, x) = known.spacing
    let isDeep = axes == .zyx && image.axis("z") != nil
    let ways = [isDeep ? distance / z : 0, distance / y, distance / x]
    for way in ways where !(way <= Double(Self.widest)) {
      throw Fault(
        .usage, "",
        "`expand` is \(way) voxels along an axis, labels grow by at most \(Self.widest)",
        hint: "is the unit right? Voxels are \(y) wide in units of `expand`")
    }
    return known
  }

  /// How far a voxel looks for labels.
  public var halo: Vector3 {
    // One more than needed, whatever division rounds to.
    let reach = { (size: Double) in Int(distance / size) + 1 }
    return Vector3(axes == .zyx ? reach(spacing.z) : 0, reach(spacing.y), reach(spacing.x))
  }

  /// Bytes of scratch memory for a box.
  ///
  /// - Parameters:
  ///   - outer: The voxels that are looked at.
  ///   - byteCount: Bytes of one label.
  /// - Returns: As many as `grow` asks for at most.
  public func scratchByteCount(_ outer: Vector3, _ byteCount: Int) -> Int {
    2 * outer.y * outer.x * (MemoryLayout<Double>.size + byteCount)
  }

  /// Grows the labels of a box.
  ///
  /// The cost of a voxel is the sum of the ways along the axes. Planes of nearest labels along z are
  /// joined along y, then along x; a nearer one must be nearer by its rounded distance, which makes
  /// the result that of all voxels at once.
  ///
  /// - Parameters:
  ///   - type: The type of labels.
  ///   - labels: The voxels of `outer` in C order.
  ///   - outer: How many there are.
  ///   - made: Room for the voxels of `inner` in C order.
  ///   - inner: How many of them are made.
  ///   - offset: The first of these, counted from the first voxel of `outer`.
  ///   - scratch: Memory to work in.
  /// - Precondition: `outer` is `inner` grown by `halo` on all sides, as far as there are voxels.
  public func grow(
    _ type: LabelType, _ labels: UnsafeRawPointer, _ outer: Vector3,
    into made: UnsafeMutableRawPointer, _ inner: Vector3, at offset: Vector3, scratch: TileScratch
  ) {
    func call<Label: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(_: Label.Type) {
      grow(
        labels.assumingMemoryBound(to: Label.self), outer,
        into: made.assumingMemoryBound(to: Label.self), inner, at: offset, scratch: scratch)
    }
    switch type {
    case .uint8: call(UInt8.self)
    case .uint16: call(UInt16.self)
    case .uint32: call(UInt32.self)
    case .uint64: call(UInt64.self)
    }
  }

  private func grow<Label: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ labels: UnsafePointer<Label>, _ outer: Vector3, into made: UnsafeMutablePointer<Label>,
    _ inner: Vector3, at offset: Vector3, scratch: TileScratch
  ) {
    let way = halo
    let plane = outer.y * outer.x
    let first = Nearest<Label>(scratch, 0, count: plane)
    let second = Nearest<Label>(scratch, 2, count: inner.y * outer.x)
    for z in 0..<inner.z {
      let here = offset.z + z
      first.clear(plane)
      for other in max(0, here - way.z)...min(outer.z - 1, here + way.z) {
        let far = Double(other - here) * spacing.z
        first.look(labels + other * plane, plane, far * far)
      }
      second.clear(inner.y * outer.x)
      for y in 0..<inner.y {
        let here = offset.y + y
        for other in max(0, here - way.y)...min(outer.y - 1, here + way.y) {
          let far = Double(other - here) * spacing.y
          second.join(first, y * outer.x, other * outer.x, outer.x, far * far)
        }
      }
      for y in 0..<inner.y {
        let target = made + (z * inner.y + y) * inner.x
        finish(second, y * outer.x, outer.x, into: target, inner.x, at: offset.x, first)
      }
      scratch.sign()
    }
  }

  /// Joins along x, and drops what is too far.
  private func finish<Label: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ rows: Nearest<Label>, _ row: Int, _ width: Int, into target: UnsafeMutablePointer<Label>,
    _ count: Int, at offset: Int, _ best: Nearest<Label>
  ) {
    best.clear(count)
    // From the left to the right, so that of equal ones the left one stays.
    for step in -halo.x...halo.x {
      let low = max(0, -(offset + step))
      let high = min(count, width - offset - step)
      if low >= high { continue }
      let far = Double(step) * spacing.x
      best.join(rows, low, row + offset + step + low, high - low, far * far)
    }
    for index in 0..<count {
      target[index] = best.squares[index].squareRoot() <= distance ? best.labels[index] : 0
    }
  }
}

/// The nearest labels known so far of some voxels, with the squares of their distances.
private struct Nearest<Label: FixedWidthInteger & UnsignedInteger & BitwiseCopyable> {
  let squares: UnsafeMutablePointer<Double>
  let labels: UnsafeMutablePointer<Label>

  init(_ scratch: TileScratch, _ room: Int, count: Int) {
    squares = scratch.room(room, Double.self, count: count)
    labels = scratch.room(room + 1, Label.self, count: count)
  }

  func clear(_ count: Int) {
    squares.update(repeating: .infinity, count: count)
    labels.update(repeating: 0, count: count)
  }

  /// Takes labels that are all so far away, where they are nearer than what is known.
  func look(_ others: UnsafePointer<Label>, _ count: Int, _ square: Double) {
    for index in 0..<count where others[index] != 0 && square < squares[index] {
      squares[index] = square
      labels[index] = others[index]
    }
  }

  /// Takes what is known of other voxels that are so far away.
  func join(_ other: Nearest, _ start: Int, _ from: Int, _ count: Int, _ square: Double) {
    let (mine, names) = (squares + start, labels + start)
    let (theirs, found) = (other.squares + from, other.labels + from)
    for index in 0..<count {
      let sum = theirs[index] + square
      let isNearer = sum < mine[index]
      mine[index] = isNearer ? sum : mine[index]
      names[index] = isNearer ? found[index] : names[index]
    }
  }
}
