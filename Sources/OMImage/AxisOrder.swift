package import OMJSON

/// The axes of a copy of an image: those of the image in the order of OME-Zarr, without some that have
/// one voxel, and with new ones of one voxel.
package struct AxisOrder: Sendable, Equatable {
  /// The axes of the copy as they are written.
  package let axes: [Axis]
  /// For each axis of the copy the axis of the image; nil for a new one.
  package let sources: [Int?]

  /// Chooses the axes of a copy.
  ///
  /// - Parameters:
  ///   - letters: The axes of the copy; nil for those of the image.
  ///   - image: The image.
  ///   - shape: The shape of its finest level.
  /// - Throws: `usage` when an axis with several voxels is left out.
  package init(_ letters: [String]?, of image: OMEImage, _ shape: [Int]) throws(Fault) {
    let order = ["t", "c", "z", "y", "x"]
    let wanted = order.filter((letters ?? image.axes.map(\.letter)).contains)
    for (axis, size) in zip(image.axes, shape) where !wanted.contains(axis.letter) && size != 1 {
      throw Fault(
        .usage, "",
        "`axes` is `\(wanted.joined())`, but the image has \(size) voxels along \(axis.name)",
        hint:
          "only axes with one voxel can be left out; `omtask run project --axis \(axis.letter)` "
          + "makes one of many")
    }
    sources = wanted.map { letter in image.axes.firstIndex { $0.letter == letter } }
    // Lengths along one axis without a unit could not be compared with those along the others.
    let unit = image.axes.last { $0.kind == .space }?.unit
    axes = zip(wanted, sources).map { letter, source in
      source.map { image.axes[$0] } ?? Axis(new: letter, unit: unit)
    }
  }

  /// Whether the axes that both have stand in the order of the image.
  package var isInOrder: Bool {
    let known = sources.compactMap(\.self)
    return known == known.sorted()
  }

  /// Whether the copy has the very axes of the image.
  package var isSame: Bool { sources == sources.indices.map { $0 } }

  /// Values along the axes of the image, as values along those of the copy.
  ///
  /// - Parameters:
  ///   - values: One for each axis of the image.
  ///   - new: The value along new axes.
  /// - Returns: One for each axis of the copy.
  package func values<Value>(_ values: [Value], new: Value) -> [Value] {
    sources.map { source in source.map { values[$0] } ?? new }
  }

  /// Values along the axes of the copy, as values along those of the image.
  ///
  /// - Parameters:
  ///   - values: One for each axis of the copy.
  ///   - rank: The number of axes of the image.
  ///   - dropped: The value along axes that the copy lacks.
  /// - Returns: One for each axis of the image.
  package func sourceValues<Value>(_ values: [Value], rank: Int, dropped: Value) -> [Value] {
    var result = [Value](repeating: dropped, count: rank)
    for (value, source) in zip(values, sources) {
      if let source { result[source] = value }
    }
    return result
  }
}

extension Axis {
  /// An axis that an image did not have.
  fileprivate init(new letter: String, unit: String?) {
    let kind: Kind = letter == "t" ? .time : letter == "c" ? .channel : .space
    let known = kind == .space ? unit : nil
    var document: JSONObject = ["name": .string(letter), "type": .string(kind.rawValue)]
    document["unit"] = known.map(JSON.string)
    self.init(
      name: letter, kind: kind, unit: known, letter: letter, document: .object(document))
  }
}

extension Transformations {
  /// The list along the axes of a copy: new axes have the scale 1 and the translation 0; the texts
  /// of all other numbers stay.
  package func document(along order: AxisOrder) -> JSON {
    if order.isSame { return document }
    return .array(
      (document.arrayValue ?? []).map { item in
        var object = item.objectValue ?? JSONObject()
        for (key, new) in [("scale", 1.0), ("translation", 0.0)] {
          guard let numbers = object[key]?.arrayValue else { continue }
          object[key] = .array(order.values(numbers, new: JSON(new)))
        }
        return .object(object)
      })
  }

  /// The list with other numbers; where they are the same their texts stay.
  ///
  /// - Parameters:
  ///   - document: A scale, and perhaps a translation behind it.
  ///   - scale: The sizes of a voxel.
  ///   - translation: Where the first voxel lies; nil leaves the list without where it had none.
  /// - Returns: The new list.
  package static func document(
    _ document: JSON, scale: [Double], translation: [Double]?
  ) -> JSON {
    var list = (document.arrayValue ?? []).map { $0.objectValue ?? JSONObject() }
    if let translation, list.count == 1 {
      list.append([
        "type": "translation", "translation": .array(translation.map { _ in JSON(0.0) }),
      ])
    }
    for (place, item) in zip(list.indices, [("scale", scale), ("translation", translation ?? [])]) {
      guard let known = list[place][item.0]?.arrayValue, known.count == item.1.count else {
        continue
      }
      list[place][item.0] = .array(
        zip(known, item.1).map { $0.doubleValue == $1 ? $0 : JSON($1) })
    }
    return .array(list.map(JSON.object))
  }
}
