import OMImage
import OMJSON
import OMStore

/// The files of a staged hierarchy.
struct BucketFiles {
  /// A file.
  struct File: Sendable {
    let key: String
    let size: Int
  }

  /// All but the documents of the group itself: chunks first, then documents.
  private(set) var files: [File] = []
  /// The names of the documents of the group itself.
  private(set) var documents: Set<String> = []

  init(_ store: FileStore) throws(Fault) {
    var chunks: [File] = []
    var inner: [File] = []
    func collect(_ folder: String) throws(Fault) {
      for name in try store.list(folder) {
        let key = joinedKey(folder, name)
        if try store.isFolder(key) {
          try collect(key)
        } else if folder.isEmpty, BucketNode.documents.contains(name) {
          documents.insert(name)
        } else if let stamp = try store.stamp(key) {
          let file = File(key: key, size: stamp.size)
          if BucketNode.documents.contains(name) || name == ".zarray" {
            inner.append(file)
          } else {
            chunks.append(file)
          }
        }
      }
    }
    do { try collect("") } catch { throw error.below(store.root) }
    files = chunks + inner
  }
}

/// How the files of a hierarchy are stored: some at a time, and what is there already not again.
struct BucketSending: Sendable {
  /// Ends it by throwing.
  let check: @Sendable () throws(Fault) -> Void
  /// Hears that another file is stored.
  let stir: @Sendable () -> Void

  /// Files with more bytes are stored by few at a time, because each is in memory while it is sent.
  private static let big = 8 << 20
  private static let bigWidth = 3

  /// Stores files.
  ///
  /// - Parameters:
  ///   - files: The files.
  ///   - store: Where they lie.
  ///   - target: The key below which they go; only what this run stored lies there.
  ///   - bucket: The bucket.
  /// - Throws: What `check`, reading and storing throws.
  func send(
    _ files: [BucketFiles.File], of store: FileStore, to target: String, in bucket: Bucket
  ) throws(Fault) {
    var present: [String: Int] = [:]
    for entry in try bucket.entries(below: target) { present[entry.key] = entry.size }
    let known = present
    func send(_ files: [BucketFiles.File], width: Int) throws(Fault) {
      try atOnce(files.count, width: width) { (number) throws(Fault) in
        try check()
        let key = joinedKey(target, files[number].key)
        guard let value = try store.open(files[number].key) else {
          throw Fault(.missing, "\(store.root)/\(files[number].key)", "is gone from the stage")
        }
        if known[key] == value.size, let sum = bucket.storedChecksum(key),
          try Bucket.checksum(of: value) == sum
        {
          return
        }
        try bucket.put(key, value)
        stir()
      }
    }
    let isDocument = { (file: BucketFiles.File) in
      file.key.hasSuffix("zarr.json") || file.key.hasSuffix(".zarray")
    }
    try send(
      files.filter { $0.size > Self.big && !isDocument($0) }, width: Self.bigWidth)
    try send(
      files.filter { $0.size <= Self.big && !isDocument($0) }, width: Bucket.width)
    // An array whose document is there has all its chunks.
    try send(files.filter(isDocument), width: Bucket.width)
    try removeOthers(files, target, known, bucket)
  }

  /// Removes what an earlier invocation stored and this one does not know: it would be read as voxels.
  private func removeOthers(
    _ files: [BucketFiles.File], _ target: String, _ present: [String: Int], _ bucket: Bucket
  ) throws(Fault) {
    var kept = Set(files.map { joinedKey(target, $0.key) })
    for name in BucketNode.documents.union([BucketClaim.name]) {
      kept.insert(joinedKey(target, name))
    }
    try bucket.remove(present.keys.filter { !kept.contains($0) })
  }
}
