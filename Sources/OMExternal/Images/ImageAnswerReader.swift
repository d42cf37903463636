import Glibc
import OMJSON
import OMTask

/// Reads Fractal's out-json, by the rules of Fractal server.
enum ImageAnswerReader {
  /// A longer file is no answer.
  private static let limit = 64 << 20
  private static let keys = ["image_list_updates", "image_list_removals"]

  /// Reads the file that a program may have written.
  ///
  /// - Parameters:
  ///   - path: The file; without one there is nothing to tell.
  ///   - program: What the program is called in messages.
  /// - Returns: What it says.
  /// - Throws: A fault of kind `program` for what Fractal would refuse.
  static func read(_ path: String, program: String) throws(Fault) -> WholeImageAnswer {
    guard let object = try object(path, program: program) else { return WholeImageAnswer() }
    if let stray = object.keys.first(where: { !keys.contains($0) }) {
      throw wrong(program, "has `\(stray)`, known are \(keys.joined(separator: ", "))")
    }
    var answer = WholeImageAnswer()
    for entry in try list(keys[0], object, program) {
      answer.updates.append(try update(entry, program))
    }
    for entry in try list(keys[1], object, program) {
      guard let url = entry.stringValue else {
        throw wrong(program, "removes \(entry.excerpt), expected the address of an image")
      }
      answer.removals.append(try address(url, program))
    }
    return answer
  }

  /// The object in the file that a program may have written; nil when it says nothing.
  static func object(_ path: String, program: String) throws(Fault) -> JSONObject? {
    guard let bytes = try bytes(path, program) else { return nil }
    let document: JSON
    do throws(Fault) {
      document = try JSON(parsing: bytes, subject: "")
    } catch {
      throw Fault(
        .program, "", "the out-json of `\(program)` is no JSON: \(error.message)",
        facts: bytes.isEmpty ? [] : ["it begins with `\(beginning(bytes))`"])
    }
    if document == .null { return nil }
    guard let object = document.objectValue else {
      throw wrong(program, "is \(document.kindName), expected an object")
    }
    return object
  }

  private static func update(_ entry: JSON, _ program: String) throws(Fault) -> JSONObject {
    guard let update = entry.objectValue, let url = update["zarr_url"]?.stringValue else {
      throw wrong(program, "updates \(entry.excerpt), which has no `zarr_url`")
    }
    var told: JSONObject = ["zarr_url": .string(try address(url, program))]
    if let origin = update["origin"], origin != .null {
      guard let text = origin.stringValue else {
        throw wrong(program, "has the `origin` \(origin.excerpt), expected an address")
      }
      told["origin"] = .string(try address(text, program))
    }
    let attributes = try members("attributes", update, program)
    for (name, value) in attributes.members
    where value.objectValue != nil || value.arrayValue != nil {
      throw wrong(program, "has the attribute `\(name)` \(value.excerpt), expected a single value")
    }
    let types = try members("types", update, program)
    for (name, value) in types.members where value.boolValue == nil {
      throw wrong(program, "has the type `\(name)` \(value.excerpt), expected true or false")
    }
    // What says nothing is left out, so that equal updates are seen to be equal.
    if !attributes.members.isEmpty { told["attributes"] = .object(attributes) }
    if !types.members.isEmpty { told["types"] = .object(types) }
    return told
  }

  /// The object of a key of an update; absent and null are an empty one.
  private static func members(
    _ key: String, _ update: JSONObject, _ program: String
  ) throws(Fault) -> JSONObject {
    guard let value = update[key], value != .null else { return JSONObject() }
    guard let object = value.objectValue else {
      throw wrong(program, "has the `\(key)` \(value.excerpt), expected an object")
    }
    return object
  }

  /// An address as Fractal lists it.
  static func address(_ text: String, _ program: String) throws(Fault) -> String {
    var url = text[...]
    while url.count > 1 && url.hasSuffix("/") { url.removeLast() }
    let isWhole = url.hasPrefix("/") || url.hasPrefix("s3://")
    if !isWhole || url.split(separator: "/").contains("..") {
      throw wrong(program, "has the address `\(text)`, expected an absolute path without `..`")
    }
    return String(url)
  }

  /// The list of a key; absent and null are an empty one.
  static func list(
    _ key: String, _ object: JSONObject, _ program: String
  ) throws(Fault) -> [JSON] {
    guard let value = object[key], value != .null else { return [] }
    guard let list = value.arrayValue else {
      throw wrong(program, "has `\(key)` \(value.excerpt), expected a list")
    }
    return list
  }

  /// The fault for an out-json that Fractal would refuse.
  static func wrong(_ program: String, _ what: String) -> Fault {
    Fault(.program, "", "the out-json of `\(program)` \(what)")
  }

  private static func bytes(_ path: String, _ program: String) throws(Fault) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
    if descriptor < 0 {
      if errno == ENOENT { return nil }
      throw wrong(program, "cannot be read: \(reason(errno))")
    }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count < 0 { throw wrong(program, "cannot be read: \(reason(errno))") }
      if count == 0 { return bytes }
      bytes += buffer[..<count]
      if bytes.count > limit { throw wrong(program, "has more than \(limit) bytes") }
    }
  }

  private static func beginning(_ bytes: [UInt8]) -> String {
    let text = String(decoding: bytes.prefix(60), as: UTF8.self)
    return String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
  }
}
