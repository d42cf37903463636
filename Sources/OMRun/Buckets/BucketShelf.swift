import OMImage
import OMJSON
import OMStore
import OMZarr

/// The list of label images or tables of an image in a bucket, and the image's own copy of metadata.
struct BucketShelf: Sendable {
  private let shelf: Shelf
  private let image: OMEImage
  private let names: [String]
  private let bucket: Bucket
  private let rules: LockRules
  private let hasConditions: Bool

  init(_ target: Target, _ bucket: Bucket, _ rules: LockRules, hasConditions: Bool) {
    shelf = target.shelf
    image = target.image
    names = target.names
    self.bucket = bucket
    self.rules = rules
    self.hasConditions = hasConditions
  }

  private func document(_ key: String) -> BucketDocument {
    BucketDocument(
      bucket: bucket, key: key, rules: rules, hasConditions: hasConditions)
  }

  /// Lists the results.
  ///
  /// *Local*, rank 0.
  ///
  /// - Throws: `locked` when others keep changing the list, and what reading and writing throws.
  func list() throws(Fault) {
    let version = image.version
    let group = joinedKey(image.location.path, shelf.name)
    if version.zarrFormat == 2 {
      let empty = try LabelsList.parse(nil, subject: group, version: version, shelf: shelf)
        .adding([]).first?.bytes
      try document(joinedKey(group, ".zgroup")).change { $0 == nil ? empty : nil }
    }
    let key = joinedKey(group, version.documentName)
    try document(key).change { (bytes) throws(Fault) in
      let list = try LabelsList.parse(
        bytes, subject: joinedKey(bucket.description, key), version: version, shelf: shelf)
      return list.adding(names).last?.bytes
    }
  }

  /// Brings the image's own copy of metadata up to date, where it keeps one.
  func updateCopy() throws(Fault) {
    let (path, store) = (image.location.path, image.location.store)
    let format = try image.location.naming { () throws(Fault) in
      try ConsolidatedMetadata.formatOfCopy(path, in: store)
    }
    guard let format else { return }
    var changes = try image.location.naming { () throws(Fault) in
      try AncestorMetadata.changes(of: path, names, on: shelf, in: store, zarrFormat: format)
    }
    // The image's own copy does not name the image.
    for index in changes.indices { changes[index].within = nil }
    try document(ConsolidatedMetadata.key(path, zarrFormat: format)).change {
      (bytes) throws(Fault) in
      guard let bytes else { return nil }
      return try image.location.naming { () throws(Fault) in
        try ConsolidatedMetadata.updated(bytes, of: path, zarrFormat: format, by: changes)?.bytes
      }
    }
  }
}

extension WellRegister {
  /// Lists the derived image in a well that lies in a bucket.
  func add(in bucket: Bucket, _ rules: LockRules, hasConditions: Bool) throws(Fault) {
    let key = joinedKey(well, version.documentName)
    let document = BucketDocument(
      bucket: bucket, key: key, rules: rules, hasConditions: hasConditions)
    let subject = joinedKey(bucket.description, key)
    try document.change { (bytes) throws(Fault) in
      guard let bytes else { throw Fault(.missing, subject, "the metadata of the well are gone") }
      return try WellList.adding(name, besides: origin, to: bytes, subject: subject)
    }
  }
}
