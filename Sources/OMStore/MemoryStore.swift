package import OMJSON
import Synchronization

/// A store in memory, for tests and for documents that have no place on a disk.
package final class MemoryStore: Store {
  package let description = "memory"
  package var folder: String? { nil }
  private let values = Mutex<[String: (bytes: [UInt8], version: Int)]>([:])

  /// A store with these values.
  package init(_ values: [String: [UInt8]] = [:]) {
    for (key, bytes) in values { self[key] = bytes }
  }

  /// The value of a key; nil removes it.
  package subscript(key: String) -> [UInt8]? {
    get { values.withLock { $0[key]?.bytes } }
    set {
      values.withLock { values in
        let version = values[key]?.version ?? 0
        values[key] = newValue.map { ($0, version + 1) }
      }
    }
  }

  package func get(_ key: String, limit: Int) throws(Fault) -> [UInt8]? {
    try open(key)?.readAll(limit: limit)
  }

  package func open(_ key: String) throws(Fault) -> OpenedValue? {
    self[key].map { OpenedValue(key: key, bytes: $0) }
  }

  package func list(_ prefix: String) throws(Fault) -> [String] {
    let start = prefix.isEmpty ? "" : prefix + "/"
    let below = values.withLock { $0.keys.filter { $0.hasPrefix(start) } }
    return Set(below.map { String($0.dropFirst(start.count).prefix { $0 != "/" }) }).sorted()
  }

  package func isFolder(_ key: String) throws(Fault) -> Bool {
    let start = key.isEmpty ? "" : key + "/"
    return values.withLock { $0.keys.contains { $0.hasPrefix(start) } }
  }

  package func stamp(_ key: String) throws(Fault) -> ValueStamp? {
    values.withLock { $0[key] }.map { ValueStamp(size: $0.bytes.count, modified: $0.version) }
  }
}
