import OMCodecs
package import OMGrid
package import OMImage
import OMJSON
package import OMZarr

/// Reads a sample from an image that is stored: the middle of it, as far as it is small.
package struct SampleReader {
  /// What was read.
  package let sample: SampleImage
  /// The box of the finest level that was read.
  package let box: Region
  /// What was left out, for people.
  package let notes: [String]

  /// About as many voxels as a trial does in a moment.
  package static let budget = 1 << 20

  /// Reads the middle of an image and of its label images.
  ///
  /// - Parameters:
  ///   - image: The image; it is only read.
  ///   - budget: The most voxels.
  /// - Throws: What reading throws.
  package init(_ image: OMEImage, budget: Int = SampleReader.budget) throws {
    let shape = try image.array(0).metadata.shape
    try self.init(image, box: SampleReader.middle(of: shape, image.axes.map(\.letter), budget))
  }

  /// Reads a box of an image and of its label images.
  ///
  /// - Parameters:
  ///   - image: The image; it is only read.
  ///   - box: The box of its finest level.
  /// - Throws: What reading throws.
  package init(_ image: OMEImage, box: Region) throws {
    let array = try image.array(0)
    let letters = image.axes.map(\.letter)
    var sample = try SampleImage(
      bytes: try SampleReader.read(array, box), array.metadata.dataType, shape: box.shape,
      axes: letters)
    let whole = image.transformations?.scale ?? letters.map { _ in 1 }
    sample.scale = zip(image.levels[0].scale, whole).map { $0 * $1 }
    sample.units = image.axes.map(\.unit)
    sample.levels = min(image.levels.count, 4)
    sample.omero = image.omero
    sample.origin = box.origin
    var notes: [String] = []
    let list = try LabelsList.read(
      image.location.store, image: image.location.path, version: image.version)
    for name in list.names {
      if let label = try SampleReader.label(name, of: image, array.metadata.shape, letters, box) {
        try sample.add(label: name, label)
      } else {
        notes.append("the label image `\(name)` has another size and is left out")
      }
    }
    self.sample = sample
    self.box = box
    self.notes = notes
  }

  private static func label(
    _ name: String, of image: OMEImage, _ shape: [Int], _ letters: [String], _ box: Region
  ) throws -> SampleImage? {
    let path = joinedKey(image.location.path, "\(Shelf.labels.name)/\(name)")
    let label = try OMEImage.open(ImageLocation(store: image.location.store, path: path))
    let array = try label.array(0)
    let axes = label.axes.map(\.letter)
    let kept = letters.indices.filter { axes.contains(letters[$0]) }
    guard kept.map({ letters[$0] }) == axes, array.metadata.shape == kept.map({ shape[$0] }),
      letters.filter({ $0 != "c" }) == axes.filter({ $0 != "c" })
    else { return nil }
    let part = Region(origin: kept.map { box.origin[$0] }, shape: kept.map { box.shape[$0] })
    return try SampleImage(
      bytes: try read(array, part), array.metadata.dataType, shape: part.shape, axes: axes)
  }

  /// The voxels of a box.
  package static func read(_ array: ZarrArray, _ box: Region) throws -> [UInt8] {
    let count = box.shape.reduce(array.metadata.dataType.byteCount, *)
    let reader = ChunkReader(array, context: CodecContext())
    return try [UInt8](unsafeUninitializedCapacity: count) { target, used in
      if let start = target.baseAddress {
        try reader.read(box, into: UnsafeMutableRawPointer(start))
      }
      used = count
    }
  }

  /// The middle of an image: all channels, two time points, and less and less of the longest sides.
  package static func middle(of shape: [Int], _ axes: [String], _ budget: Int) -> Region {
    var box = Region(wholeOf: shape)
    while box.count > budget {
      let sides = axes.indices.filter { ["z", "y", "x"].contains(axes[$0]) }
      if let time = axes.firstIndex(of: "t"), box.shape[time] > 2 {
        box.shape[time] = 2
      } else if let longest = sides.max(by: { box.shape[$0] < box.shape[$1] }),
        box.shape[longest] > 1
      {
        box.shape[longest] = max(1, box.shape[longest] * 4 / 5)
      } else {
        break
      }
    }
    box.origin = zip(shape, box.shape).map { ($0 - $1) / 2 }
    return box
  }
}
