package import OMJSON

/// Bytes by key: the hierarchy of a Zarr image, wherever it lives.
///
/// Keys are relative paths with `/`, checked with ``checkedKey(_:subject:)`` when a document named
/// them. Faults name the key; callers put the store in front of it with `below`. All calls are local
/// and may come from any thread.
package protocol Store: Sendable, CustomStringConvertible {
  /// How people name it: the folder, the archive or the URL.
  var description: String { get }
  /// The folder that can be written into; nil where a store is only ever read, as an archive is.
  var folder: String? { get }

  /// The whole value, or nil when nothing has this key.
  ///
  /// - Parameters:
  ///   - key: The key.
  ///   - limit: The most bytes that make sense; more are refused before they are read.
  /// - Returns: The bytes.
  /// - Throws: Kind `limit` for more bytes, `io`, `permission` or `path` for what cannot be read.
  ///   Only a value that surely does not exist is nil.
  func get(_ key: String, limit: Int) throws(Fault) -> [UInt8]?

  /// The value for reading in parts, or nil when nothing has this key.
  ///
  /// - Throws: As `get`, but kind `codec` for a folder or a pipe in place of the value, and for a file in
  ///   place of a folder above it: that is damage of an array.
  func open(_ key: String) throws(Fault) -> OpenedValue?

  /// The value for reading in parts, of which one is sure to be read: servers send it at once.
  func open(_ key: String, expecting part: ExpectedPart) throws(Fault) -> OpenedValue?

  /// The names directly below a key, sorted; the empty key is the root. Absent means none.
  func list(_ prefix: String) throws(Fault) -> [String]

  /// Whether names can be listed; elsewhere `list` is a fault of kind `unsupported`.
  var canList: Bool { get }

  /// Whether a key is a folder: other keys may lie below it.
  func isFolder(_ key: String) throws(Fault) -> Bool

  /// What tells one state of a value from another without reading it, or nil when there is none.
  func stamp(_ key: String) throws(Fault) -> ValueStamp?

  /// The stamps of many keys, in their order.
  func stamps(_ keys: [String]) throws(Fault) -> [ValueStamp?]

  /// How many keys of one array may be asked for their stamps; asking may cost a request each.
  var stampLimit: Int { get }

  /// Whether a server holds it, so that every access costs a journey.
  var isRemote: Bool { get }
}

/// The part of a value that is read next.
package enum ExpectedPart: Sendable {
  /// All of it, unless it has more bytes than that.
  case whole(atMost: Int)
  /// The first bytes.
  case start(Int)
  /// The last bytes.
  case end(Int)
}

extension Store {
  package func open(_ key: String, expecting part: ExpectedPart) throws(Fault) -> OpenedValue? {
    try open(key)
  }

  package func stamps(_ keys: [String]) throws(Fault) -> [ValueStamp?] {
    var stamps: [ValueStamp?] = []
    for key in keys { stamps.append(try stamp(key)) }
    return stamps
  }

  package var canList: Bool { true }
  package var stampLimit: Int { 200_000 }
  package var isRemote: Bool { false }
}

/// Size and time of a value: when they are equal, the bytes are taken to be the same.
package struct ValueStamp: Sendable, Hashable {
  /// Bytes.
  package let size: Int
  /// Time of the last change in nanoseconds since 1970.
  package let modified: Int

  /// Makes a stamp.
  package init(size: Int, modified: Int) {
    self.size = size
    self.modified = modified
  }
}
