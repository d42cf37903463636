import OMJSON
import OMStore
import OMTask

/// The record of a program that is started once for many images: `.omtask/<run id>.jsonl` in the folder
/// that new images go into.
///
/// It is written when the first program has ended, and again when all is done. It is a line of JSON for
/// each thing, because there may be more images than one document may hold.
struct CallRecord: Sendable, Equatable {
  /// How the images of the call were before.
  var inputs: [String: ImageState]
  /// What the second program is started for.
  var items: [WorkItem] = []
  /// The folders on the way to the images of the items that were there when the first program ended.
  var places: [String] = []
  /// What the one program said, when there is no second.
  var answer = WholeImageAnswer()
  /// How all images were when everything was done; nil before that.
  var states: [String: ImageState]?

  /// The bytes of a longer file are not read.
  static let limit = 1 << 30

  /// The images that the programs told of or were told of.
  ///
  /// - Parameter answers: What all programs said.
  /// - Returns: Their paths, sorted.
  func images(_ answers: [WholeImageAnswer]) -> [String] {
    let told = ([answer] + answers).flatMap(\.updates).compactMap { $0["zarr_url"]?.stringValue }
    let all = Set(Array(inputs.keys) + items.map(\.url) + told)
    // What lies elsewhere than on this disk cannot be looked at.
    return all.filter { $0.hasPrefix("/") }.sorted()
  }

  // MARK: - As lines of JSON

  /// The lines.
  func bytes(_ head: JSONObject) -> [UInt8] {
    var lines: [JSON] = [.object(head)]
    lines += Self.lines("input", inputs)
    lines += items.map { ["item": .object($0.document)] }
    lines += places.map { ["place": .string($0)] }
    lines += answer.updates.map { ["update": .object($0)] }
    lines += answer.removals.map { ["removal": .string($0)] }
    lines += Self.lines("state", states ?? [:])
    lines.append(["end": true, "done": .bool(states != nil)])
    return lines.flatMap { $0.bytes() + [UInt8(ascii: "\n")] }
  }

  /// States with the images they are of, a line for each.
  static func lines(_ key: String, _ states: [String: ImageState]) -> [JSON] {
    states.sorted { $0.key < $1.key }.map { url, state in
      [key: .string(url), "parts": state.json]
    }
  }

  /// Reads what `bytes` made; nil for anything else.
  init?(_ bytes: [UInt8]) {
    inputs = [:]
    var states: [String: ImageState] = [:]
    var end: JSON?
    for line in bytes.split(separator: UInt8(ascii: "\n")).dropFirst() {
      guard end == nil, let json = try? JSON(parsing: Array(line), subject: "") else { return nil }
      if let url = json["input"]?.stringValue, let state = ImageState(json["parts"]) {
        inputs[url] = state
      } else if let url = json["state"]?.stringValue, let state = ImageState(json["parts"]) {
        states[url] = state
      } else if let item = json["item"], let url = item["zarr_url"]?.stringValue,
        let arguments = item["init_args"]?.objectValue
      {
        items.append(WorkItem(url: url, arguments: arguments))
      } else if let place = json["place"]?.stringValue {
        places.append(place)
      } else if let update = json["update"]?.objectValue {
        answer.updates.append(update)
      } else if let url = json["removal"]?.stringValue {
        answer.removals.append(url)
      } else if json["end"] == true {
        end = json
      } else {
        return nil
      }
    }
    guard let end else { return nil }
    self.states = end["done"] == true ? states : nil
  }

  init(inputs: [String: ImageState]) { self.inputs = inputs }
}

extension CallRecord {
  /// Why the programs have something to do although they have been at work before.
  enum Standing: Equatable {
    /// All is as it was left.
    case done
    /// These items are left, and those whose images have changed.
    case items(Set<Int>)
    /// All is to be done from the start: this has changed.
    case changed(String)
  }

  /// How an item left its image.
  struct ItemEnd: Equatable {
    /// All of the image.
    let state: ImageState
    /// The parts that it made or changed.
    let made: [String]
  }

  /// What is left to do.
  ///
  /// - Parameters:
  ///   - now: How the images are; those that are not there are missing.
  ///   - isGone: Whether a folder that the first program had made is gone.
  ///   - answers: What the second program said for each item that is done.
  ///   - ends: How items that are done left their images, as far as it is known.
  ///   - begun: Items that are not done and that the second program was started for.
  /// - Returns: Nothing, some items, or everything.
  func standing(
    _ now: [String: ImageState], isGone: String?, answers: [Int: WholeImageAnswer],
    ends: [Int: ItemEnd] = [:], begun: Set<Int> = []
  ) -> Standing {
    if let isGone { return .changed(isGone) }
    var owners: [String: [Int]] = [:]
    for (index, item) in items.enumerated() {
      owners[item.url, default: []].append(index)
      for url in (answers[index]?.updates ?? []).compactMap({ $0["zarr_url"]?.stringValue })
      where url != item.url {
        owners[url, default: []].append(index)
      }
    }
    var left = Set(items.indices.filter { answers[$0] == nil })
    guard let states else {
      for (url, before) in inputs.sorted(by: { $0.key < $1.key }) {
        let known = known(before, url, owners[url] ?? [], answers, ends, begun)
        let current = now[url] ?? .absent
        if !known.isEmpty && !known.contains(where: { current.hasContent(of: $0) }) {
          return .changed(url)
        }
      }
      left.formUnion(lost(now, answers, ends))
      return .items(left)
    }
    for (url, state) in states.sorted(by: { $0.key < $1.key }) {
      let current = now[url] ?? .absent
      if current.keeps(state) { continue }
      let isInput = inputs[url] != nil
      guard let items = owners[url], !isInput || current.hasContent(of: state) else {
        return .changed(url)
      }
      left.formUnion(items)
    }
    return left.isEmpty ? .done : .items(left)
  }

  /// How an image of the call may be before all is done; empty when that is not known.
  private func known(
    _ before: ImageState, _ url: String, _ owners: [Int], _ answers: [Int: WholeImageAnswer],
    _ ends: [Int: ItemEnd], _ begun: Set<Int>
  ) -> [ImageState] {
    var known: [ImageState] = []
    for index in owners {
      // What an item did to another image than its own was not looked at, nor what it did half.
      if items[index].url != url || begun.contains(index) { return [] }
      if answers[index] == nil { continue }
      guard let end = ends[index] else { return [] }
      known.append(end.state)
    }
    return known.isEmpty ? [before] : known
  }

  /// The items that are done and whose results have been removed or changed since.
  private func lost(
    _ now: [String: ImageState], _ answers: [Int: WholeImageAnswer], _ ends: [Int: ItemEnd]
  ) -> Set<Int> {
    var together: [String: [Int]] = [:]
    for (index, item) in items.enumerated() { together[item.url, default: []].append(index) }
    let removed = Set(answers.values.flatMap(\.removals))
    return Set(
      ends.keys.filter { index in
        guard let end = ends[index], let answer = answers[index] else { return false }
        if !tells(answer, of: now) { return true }
        let url = items[index].url
        if removed.contains(url) { return false }
        let others = together[url] ?? []
        // Who is not done may have been at work on the same parts.
        let isOpen = others.contains { ends[$0] == nil }
        let current = (now[url] ?? .absent).parts
        return end.made.contains { part in
          guard end.state.parts[part] != nil else { return false }
          guard let digest = current[part] else { return true }
          return !isOpen && !others.contains { ends[$0]?.state.parts[part] == digest }
        }
      })
  }

  /// Whether all images on this disk that an answer tells of are there.
  private func tells(_ answer: WholeImageAnswer, of now: [String: ImageState]) -> Bool {
    let told = answer.updates.compactMap { $0["zarr_url"]?.stringValue }
    return told.allSatisfy { !$0.hasPrefix("/") || now[$0] != nil }
  }

  /// The items that are done and whose image, or another one that they told of, is not there.
  ///
  /// - Parameters:
  ///   - now: How the images are; those that are not there are missing.
  ///   - answers: What the second program said for each item that is done.
  ///   - ends: How items that are done left their images.
  /// - Returns: Its URL; nil when there is none.
  /// - Returns: Their numbers, sorted.
  func gone(
    _ now: [String: ImageState], _ answers: [Int: WholeImageAnswer], _ ends: [Int: ItemEnd]
  ) -> [Int] {
    let removed = Set(answers.values.flatMap(\.removals))
    return items.indices.filter { index in
      if let answer = answers[index], !tells(answer, of: now) { return true }
      let url = items[index].url
      guard let end = ends[index], !end.made.isEmpty, !removed.contains(url) else { return false }
      return url.hasPrefix("/") && now[url] == nil
    }
  }

  /// An image of the call whose voxels the programs had changed and that have changed again since.
  ///
  /// - Parameters:
  ///   - now: How the images are.
  ///   - ends: How items that are done left their images.
  /// - Returns: Its URL; nil when there is none.
  func changedTwice(_ now: [String: ImageState], ends: [Int: ItemEnd] = [:]) -> String? {
    guard let states else {
      return inputs.keys.sorted().first { url in
        let left = ends.filter { items[$0.key].url == url }.map(\.value.state)
        let before = inputs[url] ?? .absent
        guard left.contains(where: { !$0.hasVoxels(of: before) }) else { return false }
        let current = now[url] ?? .absent
        return !left.contains { current.hasVoxels(of: $0) }
      }
    }
    return inputs.keys.sorted().first { url in
      guard let before = inputs[url], let after = states[url], !after.hasVoxels(of: before) else {
        return false
      }
      return !(now[url] ?? .absent).hasVoxels(of: after)
    }
  }
}
