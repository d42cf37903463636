import OMCodecs
import OMImage
import OMJSON
import OMZarr

/// Paints a view of an image: its channels, and outlines of labels on top.
struct PreviewPainter {
  let image: OMEImage
  let view: PlaneView

  /// The colours of several channels; the first is most often a nuclear stain.
  private static let colours = [
    Colour(red: 0.1, green: 0.5, blue: 1), Colour(red: 0.1, green: 1, blue: 0.2),
    Colour(red: 1, green: 0.2, blue: 0.2),
  ]

  /// Paints the picture.
  ///
  /// - Parameters:
  ///   - channels: The channels by index, at most three.
  ///   - labels: The label images to outline.
  /// - Returns: The picture.
  /// - Throws: What reading the image or a label gives.
  func paint(channels: [Int], labels: [String]) throws -> Picture {
    let planes = try planes(of: image, level: view.level, channels)
    var picture = picture(of: planes, planes.map { Contrast(of: $0.values) })
    try outline(labels, channel: channels.first ?? 0, in: &picture)
    return picture
  }

  /// The pixels of some channels of an image, which may be another one of the same field.
  func planes(of image: OMEImage, level: Int, _ channels: [Int]) throws -> [Plane] {
    try channels.map { try read(image, level: level, channel: $0) }
  }

  /// One channel in grey, several in colours.
  func picture(of planes: [Plane], _ contrasts: [Contrast]) -> Picture {
    var picture = Picture(width: view.size.width, height: view.size.height)
    for (number, plane) in planes.enumerated() {
      let colour = planes.count == 1 ? .white : Self.colours[number]
      picture.add(contrasts[number].brightness(plane.values), colour)
    }
    return picture
  }

  /// Outlines label images of the image.
  func outline(_ labels: [String], channel: Int, in picture: inout Picture) throws {
    for name in labels {
      let label = try openLabel(name)
      let level = try nearestLevel(of: label)
      picture.drawOutlines(of: try read(label, level: level, channel: channel))
    }
  }

  private func read(_ image: OMEImage, level: Int, channel: Int) throws -> Plane {
    let array = try image.array(level)
    let grid = view.grid(
      in: array.metadata.shape, axes: image.axes.map(\.letter), channel: channel)
    do {
      return try grid.read(ChunkReader(array, context: CodecContext()))
    } catch let fault as Fault {
      throw image.location.naming(fault)
    }
  }

  /// The label image of a name.
  private func openLabel(_ name: String) throws(Fault) -> OMEImage {
    let location = image.location
    let names: [String]
    do throws(Fault) {
      names =
        try LabelsList.read(location.store, image: location.path, version: image.version).names
    } catch { throw location.naming(error) }
    guard names.contains(name) else {
      throw Fault(
        .usage, "", "\(location.displayName) has no label image `\(name)`",
        hint: names.isEmpty ? "it has none" : "it has \(names.joined(separator: ", "))")
    }
    return try OMEImage.open(
      ImageLocation(store: location.store, path: joinedKey(location.path, "labels/\(name)")),
      axes: .inAnyOrder)
  }

  /// The coarsest level of a label that has at least as many columns as the picture.
  private func nearestLevel(of label: OMEImage) throws(Fault) -> Int {
    let x = label.axes.firstIndex { $0.letter == "x" } ?? label.axes.count - 1
    let widths = try label.arrays().map { $0.metadata.shape[x] }
    return widths.lastIndex { $0 >= view.size.width } ?? 0
  }
}

/// The channels that `--channel` names, by index; the first one without it.
///
/// - Throws: A fault of kind `usage` for an unknown channel, or more than three.
func channelIndices(_ text: String?, of image: OMEImage) throws(Fault) -> [Int] {
  guard let text else { return [0] }
  let count =
    try image.channelAxis.map { (axis) throws(Fault) in
      try image.array(0).metadata.shape[axis]
    } ?? 1
  let channels = image.channels ?? []
  let indices = try text.split(separator: ",").map { (part) throws(Fault) -> Int in
    let name = String(part)
    let known =
      channels.firstIndex { $0.label == name }
      ?? channels.firstIndex { $0.wavelengthID == name } ?? Int(name)
    if let known, 0..<count ~= known { return known }
    let names = (0..<count).map { index in
      (index < channels.count ? channels[index].label : nil) ?? "\(index)"
    }
    throw Fault(
      .usage, "", "there is no channel `\(name)`",
      hint: "the image has \(names.joined(separator: ", "))")
  }
  if indices.isEmpty || indices.count > 3 {
    throw Fault(.usage, "", "`--channel` names \(indices.count) channels, 1 to 3 can be shown")
  }
  return indices
}
