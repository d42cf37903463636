import OMJSON

extension Inspector {
  /// Checks the orientations of axes.
  mutating func orientations(_ axes: [AxisFacts]) {
    var lines: [String: String] = [:]
    var spatial = 0
    var oriented = 0
    for axis in axes {
      if axis.kind == "space" { spatial += 1 }
      guard let orientation = axis.spot["orientation"] else { continue }
      if orientation.value == .null {
        report(.orientationNull, orientation, "the orientation of the axis \(axis.text) is null")
        continue
      }
      if axis.kind != "space" {
        report(.orientationSpace, orientation, "the axis \(axis.text) has an orientation")
      }
      oriented += 1
      guard let value = orientationValue(orientation) else { continue }
      let line = Orientation.line(value)
      if let other = lines[line] {
        report(
          .orientationLine, orientation,
          "the axes \(other) and \(axis.text) both run along the line of \(value)")
      }
      lines[line] = axis.text
    }
    if let first = axes.first, oriented > 0, oriented < spatial {
      report(
        .orientationAll, first.spot,
        "\(oriented) of \(spatial) axes of space have an orientation, expected all or none")
    }
  }

  /// The value of an orientation when it is one of the vocabulary.
  private mutating func orientationValue(_ orientation: Spot) -> String? {
    guard orientation.value.objectValue != nil else {
      report(
        .orientationShape, orientation,
        "`orientation` is \(orientation.value.excerpt), expected an object")
      return nil
    }
    let type = required("type", .string, in: orientation, .orientationShape)
    if let type, type != "anatomical" {
      report(.orientationShape, orientation, "`type` is \"\(type)\", expected \"anatomical\"")
    }
    guard let value = required("value", .string, in: orientation, .orientationShape) else {
      return nil
    }
    if Orientation.values.contains(value) { return value }
    report(
      .orientationValue, orientation, "`value` is \"\(value)\", which is not in the vocabulary")
    return nil
  }
}

/// The vocabulary of RFC-4.
package enum Orientation {
  /// Both ends of each line.
  package static let pairs = [
    ("left", "right"), ("anterior", "posterior"), ("inferior", "superior"),
    ("dorsal", "ventral"), ("dorsal", "palmar"), ("dorsal", "plantar"), ("rostral", "caudal"),
    ("cranial", "caudal"), ("proximal", "distal"), ("superficial", "deep"), ("apical", "basal"),
    ("apex", "base"),
  ]

  /// All values.
  package static let values = Set(pairs.flatMap { ["\($0)-to-\($1)", "\($1)-to-\($0)"] })

  /// The line of a value, the same for both directions.
  static func line(_ value: String) -> String {
    value.split(separator: "-").filter { $0 != "to" }.sorted().joined(separator: " ")
  }
}
