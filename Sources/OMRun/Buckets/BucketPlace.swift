import OMImage
import OMJSON
import OMStore
import OMZarr

/// Where in a bucket the results of one image go.
struct BucketPlace: Sendable {
  /// A hierarchy that becomes visible as a whole: a label image, a table, or an OME-Zarr of its own.
  struct Node: Sendable {
    /// Its folder below `out` in the stage.
    let staged: String
    /// Its key in the store.
    let key: String
  }

  /// The hierarchy in which results lie.
  let store: RemoteStore
  let bucket: Bucket
  let nodes: [Node]
  /// The keys of the results.
  let keys: [String]
  /// The folders of the results below `out` in the stage.
  let staged: [String]
  /// Whether they are an OME-Zarr of their own.
  let isApart: Bool
  /// The image or the OME-Zarr that they belong to, for people and for the name of the stage.
  let home: String

  /// The place of label images or tables in an image; nil where the image is in no bucket.
  init?(in image: ImageLocation, _ shelf: Shelf, _ names: [String]) {
    guard let store = image.store as? RemoteStore, let bucket = Bucket(store) else { return nil }
    self.store = store
    self.bucket = bucket
    keys = names.map { joinedKey(image.path, "\(shelf.name)/\($0)") }
    nodes = zip(names, keys).map { Node(staged: $0, key: $1) }
    staged = names
    isApart = false
    home = image.displayName
  }

  /// The place of results as an OME-Zarr of their own.
  private init(apart store: RemoteStore, _ bucket: Bucket, key: String, _ names: [String]) {
    self.store = store
    self.bucket = bucket
    let paths = SeparateOutput.paths(names)
    keys = paths.map { joinedKey(key, $0) }
    nodes = [Node(staged: Self.result, key: key)]
    staged = paths.map { joinedKey(Self.result, $0) }
    isApart = true
    home = joinedKey(store.description, key)
  }

  /// The place that a URI names.
  ///
  /// - Throws: `permission` for web servers, `path` and `usage` for what names no new OME-Zarr.
  init(_ uri: String, _ names: [String], apartFrom image: ImageLocation) throws(Fault) {
    let store = try RemoteStore(uri)
    guard let bucket = Bucket(store) else {
      throw OutputRules.readOnlyServer(shownURI(uri), inPlace: false)
    }
    let path = store.description
    if ZipStore.isOZX(path) {
      throw Fault(
        .unsupported, path, "an archive is written to a local disk only",
        hint: "`--output file.ozx`, then copy the file into the bucket")
    }
    let input = OutputRules.hierarchy(of: image)
    let relation =
      path == input
      ? "is the input itself"
      : path.hasPrefix(input + "/")
        ? "lies in the input `\(input)`"
        : input.hasPrefix(path + "/") ? "holds the input `\(input)`" : nil
    if let relation {
      throw Fault(
        .path, path, "`--output` \(relation)",
        hint: "give a path outside of it, or leave `--output` out to write into the image")
    }
    if path.split(separator: "/").count < 3 {
      throw Fault(
        .path, path, "`--output` names a whole bucket",
        hint: "give a path in it, such as s3://my-bucket/out.zarr")
    }
    self.init(apart: store, bucket, key: "", names)
  }

  /// The place of a derived image beside an image; nil where that is in no bucket.
  init?(beside image: ImageLocation, _ name: String) throws(Fault) {
    guard let store = image.store as? RemoteStore, let bucket = Bucket(store) else { return nil }
    if !image.path.isEmpty {
      let parent = image.path.lastIndex(of: "/").map { String(image.path[..<$0]) } ?? ""
      self.init(apart: store, bucket, key: joinedKey(parent, name), [name])
      return
    }
    let path = store.description
    guard path.split(separator: "/").count > 2, let slash = path.lastIndex(of: "/") else {
      throw Fault(
        .path, path, "the image is a whole bucket, there is nothing beside it",
        hint: "`--output s3://my-bucket/out.zarr` takes another place")
    }
    let other = try RemoteStore(path[...slash] + name)
    guard let bucket = Bucket(other) else { return nil }
    self.init(apart: other, bucket, key: "", [name])
  }

  /// The folder of the stage for an OME-Zarr of its own.
  private static let result = "result"

  /// The name of the folder of stages for results that go here.
  var stages: String { Self.stages(of: home) }

  /// The name of the folder of stages of an image, or of an OME-Zarr that is made.
  static func stages(of home: String) -> String {
    String(hexadecimal(sha256(Array(home.utf8))).prefix(16))
  }

  /// How people name a result.
  func uri(_ result: Int) -> String { joinedKey(store.description, keys[result]) }
}

extension BucketPlace {
  /// What already has the name of a result.
  ///
  /// - Parameters:
  ///   - result: The number of the result.
  ///   - runID: The run that asks.
  /// - Returns: What is there; nil when the place is free, or this run's to go on with.
  /// - Throws: `locked` when another run has claimed the place, and what reading gives.
  func existing(_ result: Int, _ runID: String) throws(Fault) -> ExistingLabel? {
    let node = isApart ? nodes[0] : nodes[result]
    do throws(Fault) {
      var group = try ZarrGroup.open(store, path: keys[result])
      // Of several ones the group above them is stored last.
      if isApart, keys.count > 1, try ZarrGroup.open(store, path: node.key) == nil { group = nil }
      let record = group?.attributes["omtask"]
      if Provenance.isOf(runID, record) { return ExistingLabel(record: record) }
      if let claim = try BucketClaim.read(bucket, node.key) {
        if claim.runID != runID { throw claim.isTaken(joinedKey(store.description, node.key)) }
        return group == nil ? nil : ExistingLabel(record: record)
      }
      if group != nil { return ExistingLabel(record: record) }
      return try store.list(node.key).isEmpty ? nil : ExistingLabel(record: nil)
    } catch {
      // What is there and cannot be read is not ours.
      if ![.json, .metadata].contains(error.kind) { throw naming(error) }
      return ExistingLabel(record: nil)
    }
  }

  private func naming(_ fault: Fault) -> Fault {
    fault.subject.hasPrefix(store.description) ? fault : fault.below(store.description)
  }

  /// Refuses to replace what cannot be replaced in one step, or is not ours.
  ///
  /// - Throws: `unsupported` or `exists`.
  func checkReplaceable(_ shelf: Shelf) throws(Fault) {
    if shelf == .tables || nodes.count != keys.count {
      throw Fault(
        .unsupported, home,
        shelf == .tables
          ? "a table in a bucket cannot be replaced in one step"
          : "several label images in a bucket cannot be replaced in one step",
        hint: "take another name, or remove what is there first")
    }
    guard isApart, let node = nodes.first else { return }
    for entry in try store.list(node.key)
    where !BucketNode.documents.contains(entry) && entry != BucketClaim.name
      && !LabelDocuments.isLevelPath(entry) && !BucketNode.isGeneration(entry)
    {
      throw Fault(
        .exists, home, "is there already and holds `\(entry)`, which is not of this result",
        hint: "give another path; `--overwrite` replaces results of omtask only")
    }
    let group = try? ZarrGroup.open(store, path: node.key)
    if group?.attributes["omtask"] == nil {
      throw Fault(
        .exists, home, "is there already, and omtask did not make it",
        hint: "give another path; `--overwrite` replaces results of omtask only")
    }
  }
}
