import OMJSON
import OMTask

/// What Fractal's server asks of the answers of programs that have one folder for new images.
struct AnswerRules: Sendable {
  /// The images of the call.
  let images: Set<String>
  /// The folder that new images go into.
  let folder: String

  /// Checks what one program said.
  ///
  /// - Returns: The same, with equal updates told once.
  /// - Throws: A fault of kind `program` for what the server would refuse.
  func checked(_ answer: WholeImageAnswer, program: String) throws(Fault) -> WholeImageAnswer {
    let prefix = folder == "/" ? "/" : folder + "/"
    for url in answer.updates.compactMap({ $0["zarr_url"]?.stringValue })
    where !images.contains(url) && !url.hasPrefix(prefix) {
      throw Fault(
        .program, "",
        "the out-json of `\(program)` has the new image `\(url)`, which is not below \(folder)",
        hint: "new images lie below the `zarr_dir`; `--output` names another one")
    }
    for url in answer.removals where !images.contains(url) {
      throw Fault(
        .program, "",
        "the out-json of `\(program)` removes `\(url)`, which is none of the images of the call")
    }
    var merged = MergedAnswers()
    if let conflict = merged.add(answer) {
      throw Fault(.program, "", "the out-json of `\(program)` \(conflict)")
    }
    return merged.answer
  }
}

/// What several programs said, as one answer: equal updates are told once.
struct MergedAnswers {
  private(set) var answer = WholeImageAnswer()
  // By bytes: names that only look the same are of different images.
  private var updates: [[UInt8]: String] = [:]
  private var removals: Set<[UInt8]> = []

  /// Adds what a program said.
  ///
  /// - Returns: How it contradicts itself or what was said before; then nothing of it is added.
  mutating func add(_ other: WholeImageAnswer) -> String? {
    var told: [[UInt8]: String] = [:]
    var fresh: [JSONObject] = []
    for update in other.updates {
      guard let url = update["zarr_url"]?.stringValue else { continue }
      let key = Array(url.utf8)
      let text = Self.text(.object(update))
      if let known = updates[key] ?? told[key] {
        if known != text { return "tells two different things of `\(url)`: \(known) and \(text)" }
        continue
      }
      if removals.contains(key) { return "updates `\(url)`, which is removed" }
      told[key] = text
      fresh.append(update)
    }
    for url in other.removals {
      let key = Array(url.utf8)
      if updates[key] != nil || told[key] != nil { return "removes `\(url)`, which is updated" }
    }
    answer.updates += fresh
    for url in other.removals where removals.insert(Array(url.utf8)).inserted {
      answer.removals.append(url)
    }
    updates.merge(told) { $1 }
    return nil
  }

  /// A value as a text that does not depend on the order of keys.
  private static func text(_ value: JSON) -> String {
    if let object = value.objectValue {
      let members = object.members.sorted { $0.key < $1.key }
      return "{" + members.map { "\"\($0.key)\": \(text($0.value))" }.joined(separator: ", ") + "}"
    }
    if let list = value.arrayValue { return "[" + list.map(text).joined(separator: ", ") + "]" }
    return value.text()
  }
}
