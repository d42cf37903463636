import OMJSON

/// How the grid position of a stored chunk becomes its key below the array.
package struct KeyEncoding: Sendable, Equatable {
  /// What stands in front of the indices.
  let prefix: String
  /// What stands alone for arrays without axes.
  let scalarKey: String
  /// `/` or `.`.
  let separator: String

  /// `c/0/1`, the default of v3.
  package static func v3(separator: String = "/") -> KeyEncoding {
    KeyEncoding(prefix: "c" + separator, scalarKey: "c", separator: separator)
  }

  /// `0.1` or `0/1`, as in v2.
  package static func v2(separator: String) -> KeyEncoding {
    KeyEncoding(prefix: "", scalarKey: "0", separator: separator)
  }

  /// The key of a chunk, below the array.
  package func key(_ position: [Int]) -> String {
    guard let first = position.first else { return scalarKey }
    var key = prefix
    key += String(first)
    for index in position.dropFirst() {
      key += separator
      key += String(index)
    }
    return key
  }
}

/// What a name below an array is.
package enum ChunkName: Sendable, Equatable {
  /// The key of the stored chunk at a grid position.
  case chunk([Int])
  /// A folder in which such keys may lie.
  case folder
  /// Nothing that belongs to the array's grid.
  case stray
}

extension KeyEncoding {
  /// Finds out what a key below the array is.
  ///
  /// - Parameters:
  ///   - key: The key, as `key(_:)` makes them.
  ///   - gridShape: The number of stored chunks along each axis.
  /// - Returns: The chunk that has this key, or why none has.
  package func classify(_ key: String, gridShape: [Int]) -> ChunkName {
    if gridShape.isEmpty { return key == scalarKey ? .chunk([]) : .stray }
    if separator == "/", !prefix.isEmpty, key + "/" == prefix { return .folder }
    guard key.hasPrefix(prefix) else { return .stray }
    let parts = key.dropFirst(prefix.count).utf8.split(
      separator: UInt8(ascii: separator == "/" ? "/" : "."), omittingEmptySubsequences: false)
    guard parts.count <= gridShape.count else { return .stray }
    var position: [Int] = []
    for (part, size) in zip(parts, gridShape) {
      let text = String(Substring(part))
      // `007` and `+7` are other keys than `7`, which no reader asks for.
      guard let index = Int(text), index >= 0, index < size, String(index) == text else {
        return .stray
      }
      position.append(index)
    }
    if position.count == gridShape.count { return .chunk(position) }
    return separator == "/" ? .folder : .stray
  }
}

extension KeyEncoding {
  /// Reads `chunk_key_encoding` of a v3 array.
  ///
  /// - Throws: `unsupported` for another encoding, `metadata` for another separator.
  init(v3 document: JSONObject, in subject: String) throws(Fault) {
    let encoding = try NamedExtension(document, "chunk_key_encoding", in: subject)
    switch encoding.name {
    case "default":
      self = .v3(separator: try encoding.separator(default: "/"))
    case "v2":
      self = .v2(separator: try encoding.separator(default: "."))
    default: throw encoding.unsupported(known: ["default", "v2"])
    }
  }

  /// Reads `dimension_separator` of a v2 array; absent means `.`.
  init(v2 document: JSONObject, in subject: String) throws(Fault) {
    let key = "dimension_separator"
    let separator = try document.optional(key, .string, in: subject) ?? "."
    guard separator == "." || separator == "/" else {
      throw Fault(.metadata, subject, "`\(key)` is \"\(separator)\", expected \".\" or \"/\"")
    }
    self = .v2(separator: separator)
  }
}

/// A member of a v3 document that chooses an extension by name: an object, or a bare name.
struct NamedExtension {
  let key: String
  let subject: String
  let name: String
  let configuration: JSONObject

  init(_ document: JSONObject, _ key: String, in subject: String) throws(Fault) {
    self.key = key
    self.subject = subject
    if let name = document[key]?.stringValue {
      self.name = name
      configuration = JSONObject()
      return
    }
    let object = try document.required(key, .object, in: subject)
    guard let name = object["name"]?.stringValue else {
      throw Fault(.metadata, subject, "`\(key)` has no `name` that is a string")
    }
    self.name = name
    configuration =
      object["configuration"] == nil
      ? JSONObject() : try object.required("configuration", .object, in: subject)
  }

  func separator(default fallback: String) throws(Fault) -> String {
    guard let json = configuration["separator"] else { return fallback }
    guard let text = json.stringValue, text == "." || text == "/" else {
      throw Fault(
        .metadata, subject, "`separator` of `\(key)` is \(json.excerpt), expected \".\" or \"/\"")
    }
    return text
  }

  func unsupported(known: [String]) -> Fault {
    Fault(
      .unsupported, subject, "the `\(key)` \"\(name)\" is not supported",
      facts: ["supported: \(known.joined(separator: ", "))"])
  }
}
