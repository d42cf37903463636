import OMCodecs
import OMGrid
import OMImage
import OMJSON
import OMTask
import OMZarr

/// A label image whose objects say which voxels of an image count.
///
/// It may have another resolution: the voxel of the label image counts that holds the centre of a voxel
/// of the image. Both begin at the same place, as in ngio, which does not look at translations.
package struct MaskingLabel: Sendable {
  /// The label image.
  let image: OMEImage
  /// The level that is read.
  let array: ZarrArray
  /// For each axis of the label image, that of the image, with voxels of the label for one of the image.
  private let axes: [(axis: Int, ratio: Double)]

  /// A ratio closer than this to a whole number, or to one over it, is that number.
  private static let tolerance = 1e-6

  /// Finds the level of a label image that fits a level of an image.
  ///
  /// - Parameters:
  ///   - name: The label image.
  ///   - source: The image whose voxels are looked at.
  ///   - owner: The image that has the label image.
  ///   - level: The level of `source`.
  /// - Throws: `usage` when the image has no such label image or the two cover different fields.
  init(
    _ name: String, for source: SourceImage, in owner: OMEImage, level: Int
  ) throws(Fault) {
    let label = try SourceImage(label: name, of: owner)
    let field = Field(
      letters: source.image.axes.map(\.letter), shape: try source.array(level).metadata.shape,
      scale: source.info.levelScales[level])
    let scales = label.info.levelScales
    // The level whose voxels are nearest in size, the finest of several.
    let chosen =
      scales.indices.min {
        field.distance(scales[$0], label) < field.distance(scales[$1], label)
      } ?? 0
    image = label.image
    array = try label.array(chosen)
    let type = array.metadata.dataType
    if type.isFloat {
      throw Fault(
        .unsupported, array.path,
        "the voxels are of type \(type.rawValue), a label image holds whole numbers")
    }
    var axes: [(axis: Int, ratio: Double)] = []
    for (place, size) in array.metadata.shape.enumerated() {
      axes.append(
        try field.axis(
          label.image.axes[place].letter, size: size, scale: scales[chosen][place], name))
    }
    self.axes = axes
    try field.check(label.image.axes.map(\.letter), name)
  }

  /// The level of the image that is masked.
  private struct Field {
    let letters: [String]
    let shape: [Int]
    let scale: [Double]

    /// How much the sizes of voxels differ, as factors over all axes of space.
    func distance(_ other: [Double], _ label: SourceImage) -> Double {
      label.axes.space.reduce(0) { sum, place in
        guard let axis = letters.firstIndex(of: label.image.axes[place].letter) else { return sum }
        let ratio = MaskingLabel.settled(scale[axis] / other[place])
        return sum + max(ratio, 1 / ratio)
      }
    }

    /// The axis of the image for one of the label image; -1 for one that only the label image has.
    func axis(
      _ letter: String, size: Int, scale: Double, _ name: String
    ) throws(Fault) -> (axis: Int, ratio: Double) {
      guard let axis = letters.firstIndex(of: letter) else {
        if size == 1 { return (-1, 1) }
        throw MaskingLabel.misfit(
          name, "has \(size) places along \(letter), the image has no such axis")
      }
      let isSpace = ["z", "y", "x"].contains(letter)
      let ratio = isSpace ? MaskingLabel.settled(self.scale[axis] / scale) : 1
      let span = Double(shape[axis]) * ratio
      if abs(span - Double(size)) > (isSpace ? max(1, ratio) + 1e-3 : 0.5) {
        throw MaskingLabel.misfit(
          name, "has \(size) voxels along \(letter), those of the image cover \(span) of them")
      }
      return (axis, ratio)
    }

    /// Refuses a label image without an axis that the image has; one without channels holds for all.
    func check(_ known: [String], _ name: String) throws(Fault) {
      for (axis, letter) in letters.enumerated()
      where letter != "c" && shape[axis] > 1 && !known.contains(letter) {
        throw MaskingLabel.misfit(
          name, "has no axis \(letter), the image has \(shape[axis]) places there")
      }
    }
  }

  private static func misfit(_ name: String, _ what: String) -> Fault {
    Fault(
      .usage, "", "the masking label `\(name)` \(what)",
      hint: "it must cover the same field as the image, at any resolution")
  }

  private static func settled(_ ratio: Double) -> Double {
    let (down, up) = (ratio.rounded(), (1 / ratio).rounded())
    if down >= 1, abs(ratio - down) < tolerance * down { return down }
    if up >= 1, abs(1 / ratio - up) < tolerance * up { return 1 / up }
    return ratio
  }

  /// The place of the label image along one of its axes for a place of the image.
  private func place(_ place: Int, _ axis: Int) -> Int {
    let found = Int((Double(place) + 0.5) * axes[axis].ratio)
    return min(found, array.metadata.shape[axis] - 1)
  }

  /// Sets the bytes of voxels outside of all objects to 0.
  ///
  /// - Parameters:
  ///   - box: A box of the image.
  ///   - bytes: One byte for each of its voxels in C order.
  ///   - worker: The worker at hand.
  ///   - damage: Takes damaged chunks of the label image; they count as background.
  /// - Throws: What reading throws.
  func clear(
    outsideIn box: Region, _ bytes: UnsafeMutablePointer<UInt8>, _ worker: Worker,
    damage: DamageLog?
  ) throws {
    var wanted = Region(wholeOf: array.metadata.shape)
    // For each axis of the label image the place of every voxel of the box.
    var places: [[Int]] = []
    for (axis, own) in axes.enumerated() {
      let range = own.axis < 0 ? 0..<1 : box.origin[own.axis]..<box.end(own.axis)
      let along = range.map { place($0, axis) }
      wanted.origin[axis] = along[0]
      wanted.shape[axis] = along[along.count - 1] - along[0] + 1
      places.append(along)
    }
    try worker.reader(of: array, damage: damage).visit(wanted) { chunk in
      clear(chunk, box, places, bytes)
    }
  }

  /// Does so for the voxels whose place lies in one chunk of the label image.
  private func clear(
    _ chunk: ChunkView, _ box: Region, _ places: [[Int]], _ bytes: UnsafeMutablePointer<UInt8>
  ) {
    var inside = Region(origin: box.shape.map { _ in 0 }, shape: box.shape)
    for (axis, own) in axes.enumerated() {
      let range = chunk.region.origin[axis]..<chunk.region.end(axis)
      let first = places[axis].firstIndex { $0 >= range.lowerBound } ?? places[axis].count
      let last = places[axis].lastIndex { $0 < range.upperBound } ?? -1
      if last < first { return }
      if own.axis >= 0 {
        (inside.origin[own.axis], inside.shape[own.axis]) = (first, last + 1 - first)
      }
    }
    let last = box.rank - 1
    let length = inside.shape[last]
    inside.shape[last] = 1
    let strides = rowMajorStrides(box.shape)
    let steps = rowMajorStrides(chunk.shape)
    let size = array.metadata.dataType.byteCount
    let fill = array.metadata.fillValue.contains { $0 != 0 }
    forEachPosition(in: inside) { position in
      let row = bytes + zip(position, strides).reduce(0) { $0 + $1.0 * $1.1 }
      guard let voxels = chunk.voxels else {
        if !fill { row.update(repeating: 0, count: length) }
        return
      }
      var start = 0
      var along = 0
      for (axis, own) in axes.enumerated() {
        if own.axis == last {
          along = axis
        } else {
          let place = own.axis < 0 ? 0 : places[axis][position[own.axis]]
          start += (place - chunk.region.origin[axis]) * steps[axis]
        }
      }
      start -= chunk.region.origin[along] * steps[along]
      let first = position[last]
      for index in 0..<length where row[index] != 0 {
        let place = start + places[along][first + index] * steps[along]
        if isZero(voxels + place * size, size) { row[index] = 0 }
      }
    }
  }
}

/// Whether a whole number is 0.
@inline(__always)
private func isZero(_ voxel: UnsafeRawPointer, _ byteCount: Int) -> Bool {
  switch byteCount {
  case 1: voxel.load(as: UInt8.self) == 0
  case 2: voxel.load(as: UInt16.self) == 0
  case 4: voxel.load(as: UInt32.self) == 0
  default: voxel.load(as: UInt64.self) == 0
  }
}
