package import OMJSON

/// One codec as a metadata document describes it.
package struct CodecSettings: Sendable {
  /// The registered name (v3) or the `id` (v2).
  package let name: String
  /// Its parameters.
  package let configuration: JSONObject
  /// The document, for messages.
  package let subject: String
  /// Where in the document it stands: `codecs[1]`.
  package let place: String

  /// Reads an entry of a v3 codec list, an object or a bare name.
  package init(v3 entry: JSON, subject: String, place: String) throws(Fault) {
    self.subject = subject
    self.place = place
    if let name = entry.stringValue {
      self.name = name
      configuration = JSONObject()
      return
    }
    guard let object = entry.objectValue else {
      throw Fault(.metadata, subject, "`\(place)` is \(entry.excerpt), expected an object")
    }
    do throws(Fault) {
      name = try object.required("name", .string, in: subject)
      configuration =
        object["configuration"] == nil
        ? JSONObject() : try object.required("configuration", .object, in: subject)
    } catch {
      throw Fault(error.kind, subject, "in `\(place)`: \(error.message)")
    }
  }

  /// Reads a v2 compressor or filter, an object with `id`.
  package init(v2 entry: JSON, subject: String, place: String) throws(Fault) {
    guard let object = entry.objectValue, let name = object["id"]?.stringValue else {
      throw Fault(
        .metadata, subject, "`\(place)` is \(entry.excerpt), expected an object with `id`")
    }
    self.name = name
    self.subject = subject
    self.place = place
    configuration = object
  }

  /// A whole number of the configuration.
  func integer(
    _ key: String, in range: ClosedRange<Int>, default fallback: Int
  ) throws(Fault) -> Int {
    guard let json = configuration[key], json != .null else { return fallback }
    guard let value = json.intValue, range.contains(value) else {
      throw wrong(key, json, "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  /// A word of the configuration that must be one of a list.
  func word(_ key: String, of words: [String], default fallback: String) throws(Fault) -> String {
    guard let json = configuration[key] else { return fallback }
    guard let value = json.stringValue, words.contains(value) else {
      throw wrong(key, json, "one of \(words.joined(separator: ", "))")
    }
    return value
  }

  /// The fault of a parameter with a wrong value.
  func wrong(_ key: String, _ json: JSON, _ expected: String) -> Fault {
    Fault(
      .metadata, subject,
      "`\(key)` of codec `\(name)` in `\(place)` is \(json.excerpt), expected \(expected)")
  }

  /// The fault of a codec that is not known here.
  package func unknown(_ role: String, known: [String]) -> Fault {
    Fault(
      .unsupported, subject, "`\(place)` is the unknown \(role) `\(name)`",
      facts: ["supported: \(known.sorted().joined(separator: ", "))"])
  }
}
