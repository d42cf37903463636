import OMImage
package import OMJSON
import OMZarr

/// The damaged chunks of one image that count as fill value (`--on-damage fill`).
package struct DamageReport: Sendable, Equatable {
  /// One of them.
  package struct Chunk: Sendable, Equatable {
    /// The file below the image: the chunk, or the shard that holds it.
    package var key: String
    /// The position in the grid of chunks; nil for a whole shard whose index is damaged.
    package var position: [Int]?
    /// What is wrong with it.
    package var message: String

    /// Makes the description of a chunk.
    package init(key: String, position: [Int]?, message: String) {
      self.key = key
      self.position = position
      self.message = message
    }
  }

  /// How many there are; a shard whose index is damaged counts once.
  package var count = 0
  /// The first of them; none when the results were there already.
  package var listed: [Chunk] = []

  /// Makes a report.
  package init(count: Int = 0, listed: [Chunk] = []) {
    self.count = count
    self.listed = listed
  }

  /// What all ranks found in an image.
  ///
  /// *Collective*.
  ///
  /// - Parameters:
  ///   - log: What this rank found; nil when damaged chunks are faults.
  ///   - location: The image.
  ///   - engine: The ranks.
  /// - Throws: A fault of kind `limit` when too many chunks are damaged.
  init(_ log: DamageLog?, _ location: ImageLocation, _ engine: any Engine) throws(Fault) {
    guard let log else { return }
    let all = DamageLog()
    for bytes in try engine.communicator.gatherAll(log.content.packed()) {
      try all.add(DamageLog.Content(unpacking: bytes))
    }
    let content = all.content
    let folder = location.path.isEmpty ? "" : location.path + "/"
    count = content.count
    listed = content.listed.map { chunk in
      let isBelow = chunk.key.hasPrefix(folder)
      return Chunk(
        key: isBelow ? String(chunk.key.dropFirst(folder.count)) : chunk.key,
        position: chunk.position, message: chunk.message)
    }
  }

  /// What a person should know about the image of this URI; nil when nothing is damaged.
  func warning(_ uri: String) -> String? {
    if count == 0 { return nil }
    let what = count == 1 ? "1 damaged chunk counts" : "\(count) damaged chunks count"
    let first = listed.first.map { ", the first is \($0.key): \($0.message)" } ?? ""
    return "\(uri): \(what) as fill value\(first)"
  }
}

// MARK: - Messages between ranks, and records of journals

extension DamageLog.Content {
  /// The content as bytes.
  func packed() -> [UInt8] {
    var packet = Packet()
    packet.write(numbers.count)
    for (path, chunks) in numbers {
      packet.write(Array(path.utf8))
      packet.write(Array(chunks))
    }
    packet.write(listed.count)
    for chunk in listed {
      packet.write(Array(chunk.path.utf8))
      packet.write(chunk.number)
      packet.write(Array(chunk.key.utf8))
      packet.write(chunk.position != nil)
      packet.write(chunk.position ?? [])
      packet.write(Array(chunk.message.utf8))
    }
    return packet.bytes
  }

  /// Reads what `packed` wrote.
  init(unpacking bytes: [UInt8]) throws(Fault) {
    var reader = PacketReader(bytes)
    var numbers: [String: Set<Int>] = [:]
    for _ in 0..<(try reader.readCount()) {
      let path = String(decoding: try reader.readBytes(), as: UTF8.self)
      numbers[path] = Set(try reader.readArray(Int.self))
    }
    var listed: [DamagedChunk] = []
    for _ in 0..<(try reader.readCount()) {
      let path = String(decoding: try reader.readBytes(), as: UTF8.self)
      let number = try reader.read(Int.self)
      let key = String(decoding: try reader.readBytes(), as: UTF8.self)
      let hasPosition = try reader.read(Bool.self)
      let position = try reader.readArray(Int.self)
      listed.append(
        DamagedChunk(
          path: path, number: number, key: key, position: hasPosition ? position : nil,
          message: String(decoding: try reader.readBytes(), as: UTF8.self)))
    }
    self.init(numbers: numbers, listed: listed)
  }
}

extension DamageReport {
  /// The report as JSON, as ranks send it and as `--report` shows it.
  package func encoded() -> JSON {
    [
      "count": JSON(count),
      "listed": .array(
        listed.map { chunk in
          var members: JSONObject = ["key": .string(chunk.key)]
          if let position = chunk.position { members["chunk"] = .array(position.map { JSON($0) }) }
          members["message"] = .string(chunk.message)
          return .object(members)
        }),
    ]
  }

  /// Reads what `encoded` wrote.
  init(decoding json: JSON) {
    count = json["count"]?.intValue ?? 0
    listed = (json["listed"]?.arrayValue ?? []).compactMap { entry in
      guard let key = entry["key"]?.stringValue, let message = entry["message"]?.stringValue
      else { return nil }
      return Chunk(
        key: key, position: entry["chunk"]?.arrayValue?.compactMap(\.intValue), message: message)
    }
  }
}

extension [ImageReport?] {
  /// Drops the descriptions of damaged chunks beyond the first of all images, so that they fit in a
  /// message however many images there are.
  mutating func limitListedDamage() {
    var room = DamageLog.listLimit
    for index in indices {
      guard let listed = self[index]?.damage.listed, !listed.isEmpty else { continue }
      self[index]?.damage.listed = Array<DamageReport.Chunk>(listed.prefix(room))
      room -= Swift.min(room, listed.count)
    }
  }
}
