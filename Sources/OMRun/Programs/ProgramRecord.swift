import Glibc
import OMJSON
import OMStore
import OMTask

/// The record of an image, or of an item of a list, that a program has done: what it said, and how it
/// left everything.
///
/// It lies where no program looks: `.<image>.omtask/<run id>.json` beside the image, or
/// `.omtask/<run id>.items/<item id>.json` in the folder that new images go into.
struct ProgramRecord: Sendable {
  /// How the program left the image.
  let state: ImageState
  /// How it left the other images that it told of, by their addresses.
  let others: [String: ImageState]
  /// The parts of the image that it made or changed.
  let made: [String]
  /// What it said.
  let answer: WholeImageAnswer

  /// Whether it changed the voxels of the image itself.
  var changedVoxels: Bool { made.contains(where: ImageState.isOfVoxels) }

  /// The name of the record of a run.
  static func name(_ runID: String) -> String { runID + ".json" }
  /// The name of what the program of a run printed.
  static func logName(_ runID: String) -> String { runID + ".log" }

  /// The name of the folder of the items of a run.
  static func itemsName(_ runID: String) -> String { runID + ".items" }
  /// The name of the record of a run that is about more than one image.
  static func callName(_ runID: String) -> String { runID + ".jsonl" }

  /// Whether a name in a folder of runs is that of a record, of its log, or of the folder of its items.
  static func isName(_ name: String) -> Bool {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 2 && ["json", "log", "items", "jsonl"].contains(parts[1])
      && parts[0].utf8.count == 16 && parts[0].allSatisfy(\.isHexDigit)
  }

  /// Describes what was done.
  init(
    state: ImageState, others: [String: ImageState], made: [String], answer: WholeImageAnswer
  ) {
    self.state = state
    self.others = others
    self.made = made
    self.answer = answer
  }

  /// The document of the record.
  ///
  /// - Parameters:
  ///   - identity: The run.
  ///   - image: The image.
  ///   - attempts: How often the program was started.
  ///   - item: The item of a list that was done; nil for an image that was done.
  /// - Returns: The document.
  func document(
    _ identity: ProgramIdentity, image: String, attempts: Int, item: WorkItem? = nil
  ) -> JSON {
    var document = identity.document
    if let item { document["item"] = .object(item.document) }
    document["omtask"] = [
      "image": .string(image), "attempts": JSON(attempts), "finished": JSON(Int(time(nil))),
    ]
    document["state"] = state.json
    document["others"] = .object(
      JSONObject(members: others.sorted { $0.key < $1.key }.map { ($0.key, $0.value.json) }))
    document["made"] = .array(made.map(JSON.string))
    document["updates"] = .array(answer.updates.map(JSON.object))
    document["removals"] = .array(answer.removals.map(JSON.string))
    return .object(document)
  }

  /// Reads a record; nil for what is none.
  ///
  /// Addresses in it are turned into those of today when the image was moved or copied with what lies
  /// around it: as far up as the names are the same.
  ///
  /// - Parameters:
  ///   - bytes: The file.
  ///   - image: Where the image is now.
  init?(_ bytes: [UInt8], image: String) {
    guard let json = try? JSON(parsing: bytes, subject: ""),
      let state = ImageState(json["state"]), let then = json["omtask"]?["image"]?.stringValue,
      let updates = json["updates"]?.arrayValue?.compactMap(\.objectValue)
    else { return nil }
    let (old, new) = Self.roots(then, image)
    let moved = { (url: String) -> String in
      url.hasPrefix("\(old)/") ? "\(new)\(url.dropFirst(old.count))" : url
    }
    self.state = state
    made = json["made"]?.arrayValue?.compactMap(\.stringValue) ?? []
    var others: [String: ImageState] = [:]
    for (url, entry) in json["others"]?.objectValue?.members ?? [] {
      guard let state = ImageState(entry) else { return nil }
      others[moved(url)] = state
    }
    self.others = others
    answer = WholeImageAnswer(
      updates: updates.map { update in
        var update = update
        for key in ["zarr_url", "origin"] {
          if let url = update[key]?.stringValue { update[key] = .string(moved(url)) }
        }
        return update
      },
      removals: (json["removals"]?.arrayValue?.compactMap(\.stringValue) ?? []).map { moved($0) })
  }

  /// The folders under which two paths go on with the same names.
  private static func roots(_ then: String, _ now: String) -> (String, String) {
    var old = then.split(separator: "/", omittingEmptySubsequences: false)
    var new = now.split(separator: "/", omittingEmptySubsequences: false)
    while let last = old.last, !last.isEmpty, last == new.last {
      old.removeLast()
      new.removeLast()
    }
    return (old.joined(separator: "/"), new.joined(separator: "/"))
  }

  /// What is not as the program left it or found it.
  ///
  /// *Local*.
  ///
  /// - Parameter image: Where the image is.
  /// - Returns: The part, or the other image; nil when all is as it was.
  /// - Throws: What the disk throws.
  func firstChange(of image: String) throws(Fault) -> String? {
    guard let now = try ImageState(at: image) else { return "the image" }
    if let part = now.firstChange(since: state) { return part.isEmpty ? "its metadata" : part }
    for (url, state) in others.sorted(by: { $0.key < $1.key }) {
      guard let now = try ImageState(at: url), now.keeps(state) else { return url }
    }
    return nil
  }
}
