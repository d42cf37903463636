import OMImage
import OMJSON
import OMRun
import OMZarr

/// Paints what a task gives: outlines of objects over the image, or the image and beside it what was
/// made of it.
struct TaskPicture {
  let painter: PreviewPainter
  /// The channels that are shown, at most three.
  let channels: [Int]
  /// Label images of the image that are outlined too.
  let labels: [String]

  /// Pixels between two pictures.
  private static let gap = 4

  /// Paints the picture.
  ///
  /// - Parameters:
  ///   - outputs: What was made.
  ///   - firstChannels: The channel of each.
  /// - Returns: The picture.
  /// - Throws: What reading gives.
  func paint(_ outputs: [OutputReport], firstChannels: [Int]) throws -> Picture {
    let before = try painter.planes(of: painter.image, level: painter.view.level, channels)
    let contrasts = before.map { Contrast(of: $0.values) }
    var picture = painter.picture(of: before, contrasts)
    try painter.outline(labels, channel: channels.first ?? 0, in: &picture)
    for (output, channel) in zip(outputs, firstChannels) {
      let made = try open(output)
      if output.kind == .label {
        let plane = try painter.planes(of: made, level: 0, [channel])[0]
        picture.drawOutlines(of: plane)
      } else {
        let after = try painter.planes(of: made, level: 0, channels)
        // Grey values of the same type can be compared by eye.
        let type = try painter.image.array(0).metadata.dataType
        let same = output.dataType == type ? contrasts : after.map { Contrast(of: $0.values) }
        picture = picture.beside(painter.picture(of: after, same), gap: Self.gap)
      }
    }
    return picture
  }

  private func open(_ output: OutputReport) throws(Fault) -> OMEImage {
    guard case .image(let image) = try ReadTarget.open(output.uri) else {
      throw Fault(.internal, output.uri, "what a preview made is no image")
    }
    return image
  }
}
