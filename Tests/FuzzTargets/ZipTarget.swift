import OMJSON
import OMStore

extension FuzzTarget {
  /// A whole archive.
  static let zip = FuzzTarget(
    "zip",
    refusals: [.zip, .path, .unsupported, .limit, .checksum, .truncated, .codec, .io]
  ) { bytes in
    let file = OpenedValue(key: "fuzz.zip", bytes: Array(bytes))
    let stamp = ValueStamp(size: bytes.count, modified: 0)
    let store = try ZipStore(root: "fuzz.zip", file, stamp)
    try promise(store.count <= bytes.count / 46, "\(store.count) entries in \(bytes.count) bytes")
    var seen: Set<String> = []
    var room = 0
    var refusal: Fault?
    for number in 0..<store.count {
      let key = store.key(number)
      _ = try checkedKey(key, subject: "an entry")
      try promise(seen.insert(key).inserted, "`\(key)` is there twice")
      try promise(store.stamp(key)?.size == store.size(number), "the stamp of `\(key)`")
      room += store.size(number)
      try promise(room <= 1032 * bytes.count, "\(room) bytes in \(bytes.count)")
      do {
        try checkReading(number, of: store)
      } catch let fault as Fault {
        refusal = refusal ?? fault
      }
    }
    try promise(try found("", in: store) == seen, "listing shows other entries")
    _ = try? ZipStore(root: "fuzz.ozx", file, stamp)
    if let refusal { throw refusal }
  }
}

/// Whatever way a value is read, it has the same bytes.
private func checkReading(_ number: Int, of store: ZipStore) throws {
  var pieces: [UInt8] = []
  try store.forEachPiece(of: number) { pieces += Array($0) }
  try promise(pieces.count == store.size(number), "\(pieces.count) bytes in pieces")
  _ = try store.looksOfHeader(number)
  guard let value = try store.open(store.key(number)) else {
    throw BrokenPromise(text: "`\(store.key(number))` is not there")
  }
  try promise(try value.bytes(at: 0, count: value.size) == pieces, "other bytes at once")
  let middle = value.size / 3
  let part = try value.bytes(at: middle, count: value.size - middle)
  try promise(part == Array(pieces[middle...]), "other bytes in parts")
}

/// All keys that are found by listing folders.
private func found(_ folder: String, in store: ZipStore) throws -> Set<String> {
  var keys: Set<String> = []
  for name in try store.list(folder) {
    let key = folder.isEmpty ? name : "\(folder)/\(name)"
    if try store.isFolder(key) {
      keys.formUnion(try found(key, in: store))
    } else {
      keys.insert(key)
    }
  }
  return keys
}
