package import OMJSON

/// A list of coordinate transformations, kept as it was read.
package struct Transformations: Sendable, Equatable {
  /// The list as it was read.
  package let document: JSON
  /// The size of a voxel along each axis.
  package let scale: [Double]
  /// Where the first voxel lies along each axis; nil when the list does not say.
  package let translation: [Double]?

  /// Reads one `scale`, optionally followed by one `translation`.
  ///
  /// - Parameters:
  ///   - holder: The dataset or multiscale that has `coordinateTransformations`.
  ///   - rank: The number of axes.
  ///   - subject: The document.
  /// - Throws: `metadata` with both values where a rule is broken.
  init(_ holder: JSONObject, rank: Int, subject: String) throws(Fault) {
    let list = try holder.required("coordinateTransformations", .objects, in: subject)
    let types = try list.map { (item) throws(Fault) in
      try item.required("type", .string, in: subject)
    }
    guard types == ["scale"] || types == ["scale", "translation"] else {
      throw Fault(
        .metadata, subject,
        "the transformations are \(types.isEmpty ? "none" : types.joined(separator: ", ")), "
          + "expected one scale, then at most one translation")
    }
    document = .array(list.map(JSON.object))
    scale = try Self.vector("scale", list[0], rank, subject)
    translation =
      try list.count > 1 ? Self.vector("translation", list[1], rank, subject) : nil
    if let bad = scale.first(where: { $0 == 0 }) {
      throw Fault(.metadata, subject, "a scale is \(bad), expected the size of a voxel")
    }
  }

  private static func vector(
    _ key: String, _ item: JSONObject, _ rank: Int, _ subject: String
  ) throws(Fault) -> [Double] {
    let numbers = try item.required(key, .numbers, in: subject)
    if numbers.count != rank {
      throw Fault(
        .metadata, subject, "`\(key)` has \(numbers.count) numbers, there are \(rank) axes")
    }
    if let bad = numbers.first(where: { !$0.isFinite }) {
      throw Fault(.metadata, subject, "`\(key)` has the number \(bad), expected finite numbers")
    }
    return numbers
  }

  /// The list without the entries of one axis; the texts of all other numbers stay.
  func document(droppingAxis axis: Int?) -> JSON {
    guard let axis else { return document }
    return .array(
      (document.arrayValue ?? []).map { item in
        var object = item.objectValue ?? JSONObject()
        for key in ["scale", "translation"] {
          guard var numbers = object[key]?.arrayValue else { continue }
          numbers.remove(at: axis)
          object[key] = .array(numbers)
        }
        return .object(object)
      })
  }

  /// The list with other numbers for one axis; the texts of all other numbers stay.
  func document(replacing axis: Int, scale: Double, translation: Double) -> JSON {
    var list = (document.arrayValue ?? []).map { $0.objectValue ?? JSONObject() }
    if self.translation == nil {
      let zeros = self.scale.map { _ in JSON(0.0) }
      list.append(["type": "translation", "translation": .array(zeros)])
    }
    for (place, number) in zip(list.indices, [("scale", scale), ("translation", translation)]) {
      guard var numbers = list[place][number.0]?.arrayValue else { continue }
      numbers[axis] = JSON(number.1)
      list[place][number.0] = .array(numbers)
    }
    return .array(list.map(JSON.object))
  }

  /// The list with these numbers; where they are as before, their texts stay.
  ///
  /// - Parameters:
  ///   - known: The list that was there; nil for none.
  ///   - scale: The size of a voxel along each axis.
  ///   - translation: Where the first voxel lies; nil leaves it out.
  /// - Returns: The list.
  package static func document(
    changing known: Transformations?, scale: [Double], translation: [Double]?
  ) -> JSON {
    let items = (known?.document.arrayValue ?? []).map { $0.objectValue ?? JSONObject() }
    var list = [
      item("scale", items.first, scale, isKnown: known?.scale == scale)
    ]
    if let translation {
      list.append(
        item(
          "translation", items.count > 1 ? items[1] : nil, translation,
          isKnown: known?.translation == translation))
    }
    return .array(list)
  }

  private static func item(
    _ type: String, _ known: JSONObject?, _ numbers: [Double], isKnown: Bool
  ) -> JSON {
    var item = known ?? ["type": .string(type)]
    if !isKnown { item[type] = .array(numbers.map { JSON($0) }) }
    return .object(item)
  }
}
