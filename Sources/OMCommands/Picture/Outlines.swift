extension Picture {
  /// Draws the inner border of every object in a colour of its own.
  ///
  /// - Parameter labels: The object of each pixel, 0 for background; as large as the picture.
  mutating func drawOutlines(of labels: Plane) {
    for row in 0..<labels.height {
      for column in 0..<labels.width {
        let pixel = row * labels.width + column
        let label = labels.values[pixel]
        if label != 0 && isBorder(labels, row, column, label) {
          paint(pixel, Colour(ofObject: label))
        }
      }
    }
  }

  /// Whether one of the four neighbours belongs to something else; the edge of the picture is none.
  private func isBorder(_ labels: Plane, _ row: Int, _ column: Int, _ label: Double) -> Bool {
    let pixel = row * labels.width + column
    return (row > 0 && labels.values[pixel - labels.width] != label)
      || (row + 1 < labels.height && labels.values[pixel + labels.width] != label)
      || (column > 0 && labels.values[pixel - 1] != label)
      || (column + 1 < labels.width && labels.values[pixel + 1] != label)
  }
}

extension Colour {
  /// A bright colour that differs much from those of the neighbouring numbers.
  init(ofObject label: Double) {
    // Steps of the golden ratio never come close to an earlier hue for long.
    let hue = (label * 0.618_033_988_749_895).truncatingRemainder(dividingBy: 1) * 6
    let rising = hue - hue.rounded(.down)
    let parts: (Double, Double, Double) =
      switch Int(hue) {
      case 0: (1, rising, 0)
      case 1: (1 - rising, 1, 0)
      case 2: (0, 1, rising)
      case 3: (0, 1 - rising, 1)
      case 4: (rising, 0, 1)
      default: (1, 0, 1 - rising)
      }
    // A little white keeps blue readable on black.
    let brighter = { (part: Double) in 0.25 + 0.75 * part }
    self.init(red: brighter(parts.0), green: brighter(parts.1), blue: brighter(parts.2))
  }
}
