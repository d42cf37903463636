import OMJSON

/// The entries of a copy of metadata: documents in v2, nodes in v3, under keys below their group.
///
/// What stays keeps its place. What is new stands behind its siblings, because zarr-python loses
/// nodes whose siblings are apart, and never before its parent.
struct CopiedEntries {
  private let entries: JSONObject
  private let group: String
  private let zarrFormat: Int

  /// Takes the entries of a group's copy.
  init(_ entries: JSONObject, of group: String, zarrFormat: Int) {
    self.entries = entries
    self.group = group
    self.zarrFormat = zarrFormat
  }

  /// The entries after changes.
  func applying(_ changes: [ConsolidatedMetadata.Change]) -> JSONObject {
    let known = Set(entries.keys)
    let changes = changes.filter { change in
      guard let place = change.within.flatMap(relative) else { return true }
      return known.contains(zarrFormat == 2 ? place + "/.zgroup" : place)
    }
    let documents = changes.flatMap(\.written).compactMap { document in
      entryKey(document.key).map { ($0, document.json) }
    }
    // The same document may be written twice, such as a list that two labels were added to.
    let written = Dictionary(documents, uniquingKeysWith: { $1 })
    let gone = Set(changes.compactMap { $0.replaced.flatMap(relative) })
    var kept: [(key: String, value: JSON)] = []
    for (key, value) in entries.members {
      if let value = written[key] ?? (isBelow(gone, key) ? nil : value) {
        kept.append((key, value))
      }
    }
    var seen = known
    let new = documents.filter { seen.insert($0.0).inserted }.map {
      (key: $0.0, value: written[$0.0] ?? $0.1)
    }
    return JSONObject(members: inserting(new, into: kept))
  }

  /// Puts each new entry behind the last one with the same parent.
  private func inserting(
    _ new: [(key: String, value: JSON)], into kept: [(key: String, value: JSON)]
  ) -> [(key: String, value: JSON)] {
    var families: [String: [(key: String, value: JSON)]] = [:]
    var order: [String] = []
    for entry in new {
      let parent = parent(of: entry.key)
      if families[parent] == nil { order.append(parent) }
      families[parent, default: []].append(entry)
    }
    var last: [String: Int] = [:]
    for (index, entry) in kept.enumerated() { last[parent(of: entry.key)] = index }
    var result: [(key: String, value: JSON)] = []
    for (index, entry) in kept.enumerated() {
      result.append(entry)
      let parent = parent(of: entry.key)
      if last[parent] == index { result += families.removeValue(forKey: parent) ?? [] }
    }
    return result + order.flatMap { families[$0] ?? [] }
  }

  /// The key of the node above the node of an entry.
  private func parent(of key: String) -> String {
    key.split(separator: "/").dropLast(zarrFormat == 2 ? 2 : 1).joined(separator: "/")
  }

  /// Whether a key is that of one of these nodes, or below one.
  private func isBelow(_ nodes: Set<String>, _ key: String) -> Bool {
    if nodes.isEmpty { return false }
    var rest = key[...]
    while true {
      if nodes.contains(String(rest)) { return true }
      guard let slash = rest.lastIndex(of: "/") else { return false }
      rest = rest[..<slash]
    }
  }

  /// The key of an entry: in v2 that of the document, in v3 that of the node.
  private func entryKey(_ key: String) -> String? {
    guard let name = relative(key) else { return nil }
    if zarrFormat == 2 { return name }
    let suffix = "/zarr.json"
    return name.hasSuffix(suffix) ? String(name.dropLast(suffix.count)) : nil
  }

  /// A key as seen from the group; nil when it is not below it.
  private func relative(_ key: String) -> String? {
    if group.isEmpty { return key }
    return key.hasPrefix(group + "/") ? String(key.dropFirst(group.count + 1)) : nil
  }
}
