import OMJSON

extension FuzzTarget {
  /// A JSON document: what was read and written is read again as the same.
  static let json = FuzzTarget("json", refusals: [.json, .limit]) { input in
    // Each way of reading may refuse; only a tree that one of them made has to keep promises.
    let strict = try? JSON(parsing: input, subject: "input")
    let lenient = try JSON(parsing: input, subject: "input", lenient: true)
    if let strict { try promise(strict == lenient, "strict and lenient trees differ") }
    try checkRoundTrip(lenient, lenient: true)
    if let strict { try checkRoundTrip(strict, lenient: false) }
    try checkValues(lenient)
    // The fault of the strict reader is one more refusal to look at.
    _ = try JSON(parsing: input, subject: "input")
  }
}

/// Writes a tree in both forms and reads it again.
func checkRoundTrip(_ tree: JSON, lenient: Bool) throws {
  for indent in [nil, 2] {
    let written = tree.bytes(indent: indent)
    let again: JSON
    do {
      again = try JSON(parsing: written, subject: "written", lenient: lenient)
    } catch {
      throw BrokenPromise(text: "what was written is refused: \(error)")
    }
    try promise(again == tree, "what was written reads as something else")
    try promise(again.bytes(indent: indent) == written, "what was written is written differently")
  }
}

/// What holds for every value of a tree that was read.
private func checkValues(_ value: JSON) throws {
  try promise(value.excerpt.count <= 80, "an excerpt of \(value.excerpt.count) characters")
  switch value {
  case .number(let text):
    let isToken = ["NaN", "Infinity", "-Infinity"].contains(text)
    try promise(
      isToken || value.doubleValue?.isFinite == true, "the number \(text) has no finite value")
    if let whole = value.intValue {
      try promise(
        value.intValue(integral: true) == whole, "the whole number \(text) has two values")
    }
  case .array(let elements):
    for element in elements { try checkValues(element) }
  case .object(let object):
    try promise(Set(object.keys).count == object.count, "a key appears twice")
    for (_, member) in object.members { try checkValues(member) }
  default: break
  }
}
