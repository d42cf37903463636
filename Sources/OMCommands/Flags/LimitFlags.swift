import ArgumentParser
import OMJSON
import OMManifest

/// What foreign data may ask for.
struct LimitFlags: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Changes what foreign data may ask for; may be repeated.",
      discussion: """
        Names and defaults: `metadata` (bytes of a document, 16M), `json-depth` (64), `axes` (32), \
        `chunk` (decoded bytes, 2G), `encoded-chunk` (stored over decoded bytes, 1.1), \
        `shard-index` (bytes, 256M), `zstd-window` (bytes, 128M), `files` (that a run writes, \
        10000000), `zip-entries` (of an archive, 10000000), `deflated-entry` (bytes of one that is \
        read in parts, 256M). Of servers: `remote-connect` (seconds, 10), `remote-idle` (seconds with \
        less than 1 KiB/s, 60), `remote-tries` (8), `remote-time` (seconds in which to try again, 300), \
        `remote-redirects` (5).
        """,
      valueName: "name=value"))
  var limit: [String] = []

  /// Puts the limits in force; commands do so before they read anything.
  ///
  /// - Throws: A fault of kind `usage` for an unknown name or a value out of range.
  func apply() throws(Fault) {
    if limit.isEmpty { return }
    var limits = Limits()
    for text in limit { try limits.set(text) }
    Limits.use(limits)
  }
}

extension Limits {
  /// Takes `NAME=VALUE`.
  ///
  /// - Throws: A fault of kind `usage`.
  mutating func set(_ text: String) throws(Fault) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else {
      throw Fault(.usage, "", "`--limit` is `\(text)`, expected NAME=VALUE as in `chunk=4G`")
    }
    guard let name = Name(rawValue: String(parts[0])) else {
      let names = Name.allCases.map(\.rawValue)
      let nearest = nearestName(String(parts[0]), in: names).map { "did you mean `\($0)`? " } ?? ""
      throw Fault(
        .usage, "", "`--limit` names no limit `\(parts[0])`",
        hint: "\(nearest)the names are \(names.joined(separator: ", "))")
    }
    try set(name, String(parts[1]))
  }

  private mutating func set(_ name: Name, _ value: String) throws(Fault) {
    switch name {
    case .metadata: metadata = try bytes(name, value, 16...1 << 30)
    case .chunk: chunk = try bytes(name, value, 1...1 << 40)
    case .shardIndex: shardIndex = try bytes(name, value, 16...1 << 34)
    case .zstdWindow: zstdWindow = try bytes(name, value, 16...1 << 41)
    case .jsonDepth: jsonDepth = try count(name, value, 4...1000)
    case .axes: axes = try count(name, value, 1...64)
    case .files: files = try count(name, value, 1...1 << 40)
    case .zipEntries: zipEntries = try count(name, value, 1...1 << 30)
    case .deflatedEntry: deflatedEntry = try bytes(name, value, 1...1 << 40)
    case .remoteConnect: remoteConnect = try count(name, value, 1...3600)
    case .remoteIdle: remoteIdle = try count(name, value, 1...3600)
    case .remoteTries: remoteTries = try count(name, value, 1...100)
    case .remoteTime: remoteTime = try count(name, value, 1...86400)
    case .remoteRedirects: remoteRedirects = try count(name, value, 0...100)
    case .encodedChunk:
      guard let factor = Double(value), 1...1000 ~= factor else {
        throw wrong(name, value, "a number from 1 to 1000")
      }
      encodedChunk = factor
    }
  }

  private func bytes(_ name: Name, _ value: String, _ range: ClosedRange<Int>) throws(Fault) -> Int
  {
    guard let bytes = ByteCount(text: value)?.bytes, range.contains(bytes) else {
      throw wrong(
        name, value, "a size from \(range.lowerBound) to \(range.upperBound) bytes as in `64M`")
    }
    return bytes
  }

  private func count(_ name: Name, _ value: String, _ range: ClosedRange<Int>) throws(Fault) -> Int
  {
    guard let count = Int(value), range.contains(count) else {
      throw wrong(name, value, "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return count
  }

  private func wrong(_ name: Name, _ value: String, _ expected: String) -> Fault {
    Fault(.usage, "", "`--limit \(name.rawValue)` is `\(value)`, expected \(expected)")
  }
}
