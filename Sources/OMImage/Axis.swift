package import OMJSON

/// One axis of an image, in the order of its arrays.
package struct Axis: Sendable, Equatable {
  /// What an axis runs along.
  package enum Kind: String, Sendable {
    case time
    /// Channels, or anything that is neither time nor space.
    case channel
    case space
  }

  /// The name in the document.
  package let name: String
  /// What it runs along.
  package let kind: Kind
  /// The unit in the document, such as `micrometer`.
  package let unit: String?
  /// The letter that tasks and selections know it by: t, c, z, y or x; the name where tasks cannot
  /// use the axes.
  package let letter: String
  /// The axis as it was read.
  package let document: JSON
}

/// What is wanted of the axes of an image, beside that they are valid.
package enum AxisUse: Sendable {
  /// At most one of time, at most one of channel, then two or three of space as z, y and x: for tasks.
  case inOrder
  /// The same axes in any order, as long as those of space are named z, y and x: for copies.
  case inAnyOrder
  /// Nothing: for looking at it.
  case any
}

extension Axis {
  /// Reads the axes of a multiscale image and checks them.
  ///
  /// - Parameters:
  ///   - multiscale: The entry of the image.
  ///   - rules: What the version demands of axes.
  ///   - use: What is wanted of them.
  ///   - subject: The document.
  /// - Returns: The axes.
  /// - Throws: `metadata` for axes that the version does not allow, `unsupported` for those that it allows but
  ///   that cannot be used.
  static func read(
    _ multiscale: JSONObject, _ rules: AxisRules, for use: AxisUse, subject: String
  ) throws(Fault) -> [Axis] {
    let objects = try multiscale.required("axes", .objects, in: subject)
    let list = AxisList(
      try objects.map { (object) throws(Fault) in
        let name = try object.required("name", .string, in: subject)
        return (name, try object.optional("type", .string, in: subject))
      }, rules)
    try list.check(isConverted: use == .inAnyOrder, subject)
    let letters = try list.letters(for: use, subject)
    return objects.indices.map { place in
      Axis(
        name: list.names[place], kind: list.kinds[place],
        unit: objects[place]["unit"]?.stringValue, letter: letters[place],
        document: .object(objects[place]))
    }
  }
}
