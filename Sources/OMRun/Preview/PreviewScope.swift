import OMImage
import OMJSON
import OMZarr

/// What somebody wants to try.
package struct PreviewWish: Sendable {
  /// The level; nil takes the finest that is done in about a second.
  package var level: Int?
  /// The time point.
  package var time = 0
  /// The plane that is shown, counted in the finest level; nil takes the middle one.
  package var z: Int?
  /// Whether only that plane is worked on.
  package var planeOnly = false
  /// The only channel that is worked on, for tasks that choose none themselves.
  package var channel: Int?

  /// Makes a wish.
  package init() {}
}

/// What a task is tried on: a level of an image, and what of it.
package struct PreviewScope: Sendable, Equatable {
  /// The level, 0 is the finest.
  package let level: Int
  /// The time point; nil for an image without times, and for a task that looks at all of them.
  package let time: Int?
  /// The only plane that is worked on, as an index of the level; nil takes all planes.
  package let plane: Int?
  /// The only channel that is worked on; nil leaves that to the task.
  package let channel: Int?
  /// How many voxels are worked on.
  package let voxels: Int

  /// About as many voxels as are done in a second.
  private static let budget = 1 << 24

  /// Chooses level and plane.
  ///
  /// - Parameters:
  ///   - wish: What is wanted.
  ///   - image: The image.
  ///   - along: The axis that the task looks along, which is never cut.
  ///   - channels: How many channels the task chooses; nil when it takes all there are.
  /// - Throws: `usage` for a level, a plane or a time point that is not there.
  init(
    _ wish: PreviewWish, _ image: OMEImage, along: String?, channels: Int?
  ) throws(Fault) {
    let letters = image.axes.map(\.letter)
    let shapes = try image.arrays().map(\.metadata.shape)
    let size = { (letter: String, level: Int) in
      letters.firstIndex(of: letter).map { shapes[level][$0] } ?? 1
    }
    try Self.check(wish.level, "level", shapes.count)
    try Self.check(wish.z, "z", size("z", 0))
    try Self.check(wish.time, "t", size("t", 0))
    if wish.planeOnly && along == "z" {
      throw Fault(.usage, "", "`--plane` is given, but the task looks along z")
    }
    let isCut = { (letter: String) in letters.contains(letter) && along != letter }
    let voxels = { (level: Int, isPlane: Bool) -> Int in
      letters.reduce(1) { count, letter in
        switch letter {
        case "t" where isCut("t"), "z" where isPlane: count
        case "c" where isCut("c"):
          count * (channels ?? (wish.channel == nil ? size("c", level) : 1))
        default: count * size(letter, level)
        }
      }
    }
    let fitting = { (isPlane: Bool) in
      shapes.indices.first { voxels($0, isPlane) <= Self.budget }
    }
    let wanted = wish.level ?? fitting(wish.planeOnly)
    // Where no level fits as a whole, one plane may.
    let isPlane = wish.planeOnly || (wanted == nil && isCut("z"))
    let level = wanted ?? fitting(isPlane) ?? shapes.count - 1
    self.level = level
    time = isCut("t") ? wish.time : nil
    channel = isCut("c") && channels == nil ? wish.channel : nil
    let depth = size("z", 0)
    let z = wish.z ?? depth / 2
    plane =
      isPlane && letters.contains("z")
      ? min(size("z", level) - 1, (2 * z + 1) * size("z", level) / (2 * depth)) : nil
    self.voxels = voxels(level, isPlane)
  }

  private static func check(_ value: Int?, _ flag: String, _ count: Int) throws(Fault) {
    guard let value, !(0..<count ~= value) else { return }
    throw Fault(.usage, "", "`--\(flag)` is \(value), the image has 0 to \(count - 1)")
  }

  /// The options of the run that looks at this.
  func limiting(_ options: RunOptions) -> RunOptions {
    var options = options
    options.firstLevel = level
    for (letter, index) in [("t", time), ("z", plane), ("c", channel)] {
      if let index { options.select[letter] = SelectionRange(lower: index, upper: index + 1) }
    }
    return options
  }
}
