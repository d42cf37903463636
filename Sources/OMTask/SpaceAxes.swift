public import OMJSON

extension ImageInfo {
  /// The axes of space in array order: z, y and x, or y and x.
  public var spaceAxes: [String] { axes.filter { ["z", "y", "x"].contains($0) } }

  /// Numbers for z, y and x, of a parameter that takes one for all axes of space or one for each.
  ///
  /// - Parameters:
  ///   - values: What was given.
  ///   - name: The parameter, for messages.
  ///   - flat: The number for z of an image without that axis.
  /// - Returns: The numbers along z, y and x.
  /// - Throws: A fault of kind `usage` when there are neither one nor as many as axes.
  public func alongSpace<Value>(
    _ values: [Value], named name: String, flat: Value
  ) throws(Fault) -> (z: Value, y: Value, x: Value) {
    let axes = spaceAxes
    let all = values.count == 1 ? axes.map { _ in values[0] } : values
    if all.count != axes.count {
      throw Fault(
        .usage, "",
        "`\(name)` has \(values.count) numbers, the image has the axes of space "
          + axes.joined(separator: ", "),
        hint: "give one number for all of them, or \(axes.count), such as `--\(name) "
          + axes.map { _ in "1" }.joined(separator: ",") + "`")
    }
    return (all.count == 3 ? all[0] : flat, all[all.count - 2], all[all.count - 1])
  }

  /// A shape of a parameter that takes one number for all axes of space, one for each of these, or one
  /// for each axis.
  ///
  /// - Parameters:
  ///   - values: What was given.
  ///   - name: The parameter, for messages.
  /// - Returns: One number for each axis, 1 for axes that are not in space where they were not given.
  /// - Throws: A fault of kind `usage` for another number of numbers.
  public func alongAxes(_ values: [Int], named name: String) throws(Fault) -> [Int] {
    if values.count == axes.count { return values }
    let space = try alongSpace(values, named: name, flat: 1)
    return axes.map { axis in
      switch axis {
      case "z": space.z
      case "y": space.y
      case "x": space.x
      default: 1
      }
    }
  }

  /// The size of a voxel along z, y and x in micrometres.
  ///
  /// - Parameter level: The level; the finest is 0.
  /// - Returns: The sizes; 1 along z where there is no such axis.
  /// - Throws: A fault of kind `usage` when an axis of space has no unit of length.
  public func micrometersAlongSpace(
    level: Int = 0
  ) throws(Fault) -> (z: Double, y: Double, x: Double) {
    var sizes: [Double] = []
    for letter in spaceAxes {
      guard let axis = axis(letter) else { continue }
      let unit = units[axis] ?? ""
      guard let factor = Self.micrometers[unit] else {
        throw Fault(
          .usage, "",
          unit.isEmpty
            ? "the axis \(letter) of the image has no unit, so micrometres say nothing"
            : "the axis \(letter) of the image is in `\(unit)`, which is no unit of length known here",
          hint: "give lengths in voxels")
      }
      sizes.append(levelScales[level][axis] * factor)
    }
    return try alongSpace(sizes, named: "scale", flat: 1)
  }

  /// Units of length by the names that OME-Zarr gives them, in micrometres.
  package static let micrometers: [String: Double] = [
    "angstrom": 1e-4, "nanometer": 1e-3, "micrometer": 1, "millimeter": 1e3, "centimeter": 1e4,
    "meter": 1e6, "micron": 1, "um": 1, "nm": 1e-3, "mm": 1e3, "µm": 1,
  ]

  /// Units of time by the names that OME-Zarr gives them, in seconds.
  package static let seconds: [String: Double] = [
    "nanosecond": 1e-9, "microsecond": 1e-6, "millisecond": 1e-3, "second": 1, "minute": 60,
    "hour": 3600, "day": 86400, "s": 1, "ms": 1e-3,
  ]
}
