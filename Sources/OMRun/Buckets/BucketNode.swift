import OMImage
import OMJSON
import OMStore
import OMZarr

/// A hierarchy in a bucket that becomes visible by one object: the document of its group, stored last.
///
/// One that replaces another lies in a folder of its own (`g` and the run) beside the old one, until the
/// document of the group is replaced by one that leads there.
struct BucketNode: Sendable {
  let bucket: Bucket
  let store: RemoteStore
  let key: String
  let runID: String
  let rules: LockRules
  /// Whether the bucket stores objects under conditions.
  let hasConditions: Bool

  /// The documents of a group.
  static let documents: Set<String> = ["zarr.json", ".zgroup", ".zattrs"]

  /// The folder of what replaces something.
  static func generation(_ runID: String) -> String { "g\(runID)" }

  /// Whether a name is that of such a folder.
  static func isGeneration(_ name: String) -> Bool {
    name.hasPrefix("g") && StageFolder.isRunID(String(name.dropFirst()))
  }

  /// Stores all of a staged hierarchy, the document of its group last.
  ///
  /// *Local*, rank 0. Objects that are there already are not stored again.
  ///
  /// - Parameters:
  ///   - files: The staged hierarchy.
  ///   - sending: How files are stored.
  ///   - replaces: Whether it may take the place of another one.
  /// - Throws: `exists` when another one has the place by now, and what storing throws.
  func publish(
    _ files: FileStore, _ sending: BucketSending, replaces: Bool
  ) throws(Fault) {
    let old = try group()
    if old != nil && !replaces { throw taken }
    let folder = old == nil ? "" : Self.generation(runID)
    let staged = try BucketFiles(files)
    if let old {
      if !hasConditions { try checkAlone("`--overwrite`") }
      if (old.name == "zarr.json") != staged.documents.contains("zarr.json") {
        throw Fault(
          .unsupported, place, "is of another Zarr format than what is to replace it",
          hint: "take another name, or remove what is there first")
      }
      for document in Self.empty(old.name, folder) {
        _ = try bucket.put(joinedKey(key, document.key), document.bytes)
      }
    }
    try sending.send(staged.files, of: files, to: joinedKey(key, folder), in: bucket)
    try show(files, staged.documents, in: folder, instead: old)
  }

  /// The object that makes the group visible.
  private struct Group {
    let name: String
    /// Nil where there is none yet, as `.zattrs` beside `.zgroup`.
    let object: Bucket.Object?
  }

  /// What stands in the place; nil when nothing does.
  private func group() throws(Fault) -> Group? {
    if let object = try bucket.read(joinedKey(key, "zarr.json")) {
      return Group(name: "zarr.json", object: object)
    }
    guard try bucket.read(joinedKey(key, ".zgroup")) != nil else { return nil }
    return Group(name: ".zattrs", object: try bucket.read(joinedKey(key, ".zattrs")))
  }

  /// The documents of the group above new arrays.
  private static func empty(_ name: String, _ folder: String) -> [MetadataDocument] {
    groupDocuments(
      folder, zarrFormat: name == "zarr.json" ? 3 : 2, attributes: JSONObject())
  }

  /// Stores the documents of the group.
  private func show(
    _ files: FileStore, _ documents: Set<String>, in folder: String, instead old: Group?
  ) throws(Fault) {
    // `.zattrs`, then `.zgroup`: what has none is no group.
    for name in documents.sorted() where documents.contains(name) {
      guard var bytes = try files.get(name, limit: JSON.maximumBytes) else { continue }
      var condition = Bucket.Condition.none
      if let old {
        if name != old.name { continue }
        bytes = try Self.leading(bytes, into: folder, subject: name)
        if hasConditions { condition = old.object?.tag.map { .unchanged($0) } ?? .absent }
      } else if hasConditions {
        condition = .absent
      }
      let document = joinedKey(key, name)
      if try bucket.put(document, bytes, if: condition) { continue }
      // A try whose answer was lost may have stored it, or an invocation that was killed here.
      if try bucket.read(document)?.bytes == bytes { continue }
      throw taken
    }
  }

  private var taken: Fault {
    Fault(
      .exists, place, "another program has made or changed it since this run began",
      hint: "look at what is there; `--overwrite` replaces it")
  }

  /// Whether the hierarchy of this run stands in its place.
  func isInPlace() throws(Fault) -> Bool {
    let attributes = try? ZarrGroup.open(store, path: key)?.attributes
    return Provenance.isOf(runID, attributes?["omtask"])
  }

  private var place: String { joinedKey(bucket.description, key) }

  private func checkAlone(_ what: String) throws(Fault) {
    if rules.assumesSingleWriter { return }
    throw BucketNode.needsConditions(place, what)
  }

  /// Nobody could tell whether two processes change something at once.
  static func needsConditions(_ place: String, _ what: String) -> Fault {
    Fault(
      .unsupported, place,
      "the server stores objects without looking at `If-Match` and `If-None-Match`, which \(what) needs",
      hint: "`--assume-single-writer`, where surely nobody else writes there")
  }

  /// The document of a group with the paths of its arrays below a folder.
  static func leading(
    _ bytes: [UInt8], into folder: String, subject: String
  ) throws(Fault) -> [UInt8] {
    let json = try JSON(parsing: bytes, subject: subject)
    var paths: Set<String> = []
    collect(json, &paths)
    return moved(json, paths, folder, isEntry: false).bytes(indent: 2)
  }

  /// The paths of arrays that multiscales name.
  private static func collect(_ json: JSON, _ paths: inout Set<String>) {
    for member in json.objectValue?.members ?? [] {
      if member.key == "datasets" {
        for entry in member.value.arrayValue ?? [] {
          if let path = entry["path"]?.stringValue { paths.insert(path) }
        }
      }
      if member.key != "omtask" { collect(member.value, &paths) }
    }
    for element in json.arrayValue ?? [] { collect(element, &paths) }
  }

  /// A document with other paths: those of entries, and of transformations that begin at them.
  private static func moved(
    _ json: JSON, _ paths: Set<String>, _ folder: String, isEntry: Bool
  ) -> JSON {
    switch json {
    case .array(let elements):
      return .array(elements.map { moved($0, paths, folder, isEntry: isEntry) })
    case .object(let object):
      return .object(
        JSONObject(
          members: object.members.map { key, value in
            if key == "omtask" { return (key: key, value: value) }
            if isEntry, key == "path", let path = value.stringValue, paths.contains(path) {
              return (key: key, value: .string(joinedKey(folder, path)))
            }
            return (
              key: key,
              value: moved(value, paths, folder, isEntry: isEntry || key == "multiscales")
            )
          }))
    default: return json
    }
  }

  /// The arrays that the document of the group leads to: the first parts of their paths.
  private func roots() throws(Fault) -> Set<String> {
    var paths: Set<String> = []
    if let object = try group()?.object, let json = try? JSON(parsing: object.bytes, subject: key) {
      Self.collect(json, &paths)
    }
    return Set(paths.compactMap { $0.split(separator: "/").first.map(String.init) })
  }

  /// Removes what the hierarchy of this run has replaced, where it did.
  ///
  /// - Returns: Whether there was any.
  func removeReplaced() throws(Fault) -> Bool {
    let roots = try roots()
    guard roots.contains(where: Self.isGeneration) else { return false }
    let start = key.isEmpty ? 0 : key.utf8.count + 1
    let old = try bucket.entries(below: key).map(\.key).filter { entry in
      let parts = String(decoding: entry.utf8.dropFirst(start), as: UTF8.self)
        .split(separator: "/", maxSplits: 1)
      guard let first = parts.first.map(String.init) else { return false }
      if parts.count == 1, Self.documents.contains(first) || first == BucketClaim.name {
        return false
      }
      return !roots.contains(first)
    }
    try bucket.remove(old)
    return !old.isEmpty
  }

  /// Removes what this run stored and nobody can see, and then the claim.
  ///
  /// - Returns: Objects and their bytes.
  func discard() throws(Fault) -> (count: Int, bytes: Int) {
    let isNode = try group() != nil
    let below = isNode ? joinedKey(key, Self.generation(runID)) : key
    for _ in 0..<100 {
      let uploads = try bucket.uploads(below: below)
      if uploads.isEmpty { break }
      for upload in uploads { try bucket.abort(upload) }
    }
    let left = try bucket.entries(below: below).filter { $0.key != BucketClaim.key(key) }
    try bucket.remove(left.map(\.key))
    try bucket.remove(BucketClaim.key(key))
    return (left.count, left.reduce(0) { $0 + $1.size })
  }
}
