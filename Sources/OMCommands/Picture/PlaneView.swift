import OMGrid
import OMImage
import OMJSON
import OMZarr

/// Which plane of an image a picture shows, and how many pixels it has.
struct PlaneView {
  /// The level that is read.
  let level: Int
  /// The plane along z, counted in the finest level; 0 without a z axis.
  let z: Int
  /// The time point; 0 without a t axis.
  let t: Int
  /// Pixels of the picture.
  let size: (width: Int, height: Int)
  /// Planes of the finest level; 1 without a z axis.
  let depth: Int

  /// Chooses plane, level and size.
  ///
  /// - Parameters:
  ///   - image: The image.
  ///   - level: The level asked for; nil takes the finest whose sides fit `width`.
  ///   - z: The plane asked for; nil takes the middle one.
  ///   - t: The time point asked for; nil takes the first.
  ///   - width: The most pixels along a side.
  /// - Throws: A fault of kind `usage` for an index beyond its axis.
  init(_ image: OMEImage, level: Int?, z: Int?, t: Int?, width: Int) throws(Fault) {
    let shapes = try image.arrays().map(\.metadata.shape)
    let axes = image.axes.map(\.letter)
    let extent = { (axis: String, level: Int) in
      axes.firstIndex(of: axis).map { shapes[level][$0] } ?? 1
    }
    let fitting = shapes.indices.first { max(extent("y", $0), extent("x", $0)) <= width }
    let chosen = try Self.checked(level, "level", count: shapes.count)
    self.level = chosen ?? fitting ?? shapes.count - 1
    depth = extent("z", 0)
    self.z = try Self.checked(z, "z", count: depth) ?? depth / 2
    self.t = try Self.checked(t, "t", count: extent("t", 0)) ?? 0
    let (rows, columns) = (extent("y", self.level), extent("x", self.level))
    let step = max(1, (max(rows, columns) + width - 1) / width)
    size = ((columns + step - 1) / step, (rows + step - 1) / step)
  }

  /// The view in words: `level 2, z=31, t=0`.
  var description: String { "level \(level), z=\(z), t=\(t)" }

  /// The pixels of this view in an array with these axes, which may be of another level or a label.
  ///
  /// Both show the same field, so places are mapped by the ratio of the sizes.
  func grid(in shape: [Int], axes: [String], channel: Int) -> PlaneGrid {
    var index = shape.map { _ in 0 }
    for (axis, name) in axes.enumerated() {
      switch name {
      case "z": index[axis] = min(shape[axis] - 1, (2 * z + 1) * shape[axis] / (2 * depth))
      case "t": index[axis] = min(shape[axis] - 1, t)
      case "c": index[axis] = min(shape[axis] - 1, channel)
      default: break
      }
    }
    let y = axes.firstIndex(of: "y") ?? shape.count - 2
    let x = axes.firstIndex(of: "x") ?? shape.count - 1
    return PlaneGrid(
      yAxis: y, xAxis: x, index: index,
      rows: PlaneGrid.places(pixels: size.height, over: shape[y]),
      columns: PlaneGrid.places(pixels: size.width, over: shape[x]))
  }

  private static func checked(_ value: Int?, _ flag: String, count: Int) throws(Fault) -> Int? {
    guard let value, !(0..<count ~= value) else { return value }
    throw Fault(.usage, "", "`--\(flag)` is \(value), the image has 0 to \(count - 1)")
  }
}
