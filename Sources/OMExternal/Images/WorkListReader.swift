import OMJSON
import OMTask

/// Reads the list that the first program of a compound task makes, by the rules of Fractal server.
enum WorkListReader {
  /// The most items that Fractal takes.
  static let limit = 20_000
  /// The one key of its out-json.
  static let key = "parallelization_list"
  private static let itemKeys = ["zarr_url", "init_args"]

  /// Reads the out-json of a first program.
  ///
  /// - Parameters:
  ///   - path: The file; without one there is no item.
  ///   - program: What the program is called in messages.
  /// - Returns: The items in their order, equal ones once.
  /// - Throws: A fault of kind `program` for what Fractal would refuse.
  static func read(_ path: String, program: String) throws(Fault) -> [WorkItem] {
    guard let object = try ImageAnswerReader.object(path, program: program) else { return [] }
    if let stray = object.keys.first(where: { $0 != key }) {
      throw ImageAnswerReader.wrong(
        program, "has `\(stray)`, the first program tells `\(key)` alone")
    }
    let list = try ImageAnswerReader.list(key, object, program)
    if list.count > limit {
      throw ImageAnswerReader.wrong(program, "lists \(list.count) items, the limit is \(limit)")
    }
    var items: [WorkItem] = []
    // Names that differ in their bytes are of different folders.
    var known: Set<[UInt8]> = []
    for (number, entry) in list.enumerated() {
      let item = try item(entry, number, program)
      if known.insert(JSON.object(item.document).bytes()).inserted { items.append(item) }
    }
    return items
  }

  private static func item(
    _ entry: JSON, _ number: Int, _ program: String
  ) throws(Fault) -> WorkItem {
    let name = "item \(number) of `\(key)`"
    guard let object = entry.objectValue else {
      throw ImageAnswerReader.wrong(program, "has \(name) \(entry.excerpt), expected an object")
    }
    if let stray = object.keys.first(where: { !itemKeys.contains($0) }) {
      throw ImageAnswerReader.wrong(
        program, "has `\(stray)` in \(name), known are \(itemKeys.joined(separator: ", "))")
    }
    guard let url = object["zarr_url"]?.stringValue else {
      throw ImageAnswerReader.wrong(program, "has no `zarr_url` in \(name), which is an address")
    }
    let given = object["init_args"] ?? .null
    guard let arguments = given == .null ? JSONObject() : given.objectValue else {
      throw ImageAnswerReader.wrong(
        program, "has the `init_args` \(given.excerpt) in \(name), expected an object")
    }
    return WorkItem(url: try ImageAnswerReader.address(url, program), arguments: sorted(arguments))
  }

  /// The same object with its keys in order, so that equal items are seen to be equal.
  private static func sorted(_ object: JSONObject) -> JSONObject {
    JSONObject(
      members: object.members.sorted { $0.key < $1.key }.map { ($0.key, sorted($0.value)) })
  }

  private static func sorted(_ value: JSON) -> JSON {
    if let object = value.objectValue { return .object(sorted(object)) }
    if let list = value.arrayValue { return .array(list.map(sorted)) }
    return value
  }
}
