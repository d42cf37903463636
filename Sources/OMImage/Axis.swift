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
  /// The letter that tasks and `--select` know it by: t, c, z, y or x.
  package let letter: String
  /// The axis as it was read.
  package let document: JSON
}

extension Axis {
  /// Reads the axes of a multiscale image and checks their number, names and order.
  ///
  /// - Parameters:
  ///   - multiscale: The entry of the image.
  ///   - subject: The document.
  ///   - inAnyOrder: Whether they may stand in another order than OME-Zarr's, as long as the axes of space
  ///     are named z, y and x.
  /// - Returns: The axes.
  /// - Throws: `metadata` with what is wrong.
  static func read(
    _ multiscale: JSONObject, subject: String, inAnyOrder: Bool = false
  ) throws(Fault) -> [Axis] {
    let objects = try multiscale.required("axes", .objects, in: subject)
    var names: [String] = []
    var kinds: [Kind] = []
    for object in objects {
      let name = try object.required("name", .string, in: subject)
      names.append(name)
      kinds.append(kind(name, try object.optional("type", .string, in: subject)))
    }
    let spaces = kinds.count { $0 == .space }
    let isNamed = zip(names, kinds).allSatisfy { $1 != .space || ["z", "y", "x"].contains($0) }
    try checkNames(names, subject, inAnyOrder: inAnyOrder && isNamed)
    try checkKinds(kinds, names, subject, inAnyOrder: inAnyOrder && isNamed)
    if inAnyOrder && isNamed && spaces == 2 && names.contains("z") {
      throw Fault(
        .metadata, subject,
        "the axes of space are \(names.joined(separator: ", ")), expected y and x")
    }
    return objects.indices.map { place in
      Axis(
        name: names[place], kind: kinds[place], unit: objects[place]["unit"]?.stringValue,
        letter: inAnyOrder && isNamed && kinds[place] == .space
          ? names[place] : letter(kinds[place], place: place, of: kinds.count),
        document: .object(objects[place]))
    }
  }

  /// What an axis runs along: its type, or its name where the type is left out.
  private static func kind(_ name: String, _ type: String?) -> Kind {
    switch type ?? (["z", "y", "x"].contains(name) ? "space" : name == "t" ? "time" : "channel") {
    case "space": .space
    case "time": .time
    default: .channel
    }
  }

  private static func letter(_ kind: Kind, place: Int, of count: Int) -> String {
    switch kind {
    case .time: "t"
    case .channel: "c"
    case .space: ["x", "y", "z"][count - 1 - place]
    }
  }

  private static func checkNames(
    _ names: [String], _ subject: String, inAnyOrder: Bool
  ) throws(Fault) {
    let listed = names.joined(separator: ", ")
    if !(2...5).contains(names.count) {
      throw Fault(.metadata, subject, "there are \(names.count) axes (\(listed)), expected 2 to 5")
    }
    if Set(names).count != names.count {
      throw Fault(.metadata, subject, "an axis name stands twice in \(listed)")
    }
    if inAnyOrder { return }
    let spatial = names.filter { ["z", "y", "x"].contains($0) }
    if spatial != ["z", "y", "x"].filter(spatial.contains) {
      throw Fault(
        .metadata, subject, "the axes are in the order \(listed), expected z before y before x")
    }
  }

  private static func checkKinds(
    _ kinds: [Kind], _ names: [String], _ subject: String, inAnyOrder: Bool
  ) throws(Fault) {
    let order: [Kind] = [.time, .channel, .space]
    let ranks = kinds.compactMap(order.firstIndex(of:))
    let counts = order.map { kind in kinds.count { $0 == kind } }
    if !inAnyOrder && ranks != ranks.sorted() || counts[0] > 1 || counts[1] > 1
      || !(2...3).contains(counts[2])
    {
      let listed = zip(names, kinds).map { "\($0) (\($1.rawValue))" }.joined(separator: ", ")
      throw Fault(
        .metadata, subject,
        "the axes are \(listed), expected at most one of time, at most one of channel, "
          + "then two or three of space")
    }
  }
}
