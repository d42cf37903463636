import OMImage
import OMJSON
import OMStore
import OMZarr

/// A group of a store with its metadata.
struct GroupNode: Sendable {
  /// The key of the group.
  let path: String
  /// The document that holds its metadata.
  let file: String
  /// 2 or 3.
  let zarrFormat: Int
  /// The metadata.
  let metadata: OMEMetadata
}

extension Inspector {
  /// Checks the document of a group.
  mutating func group(_ root: Spot, zarrFormat: Int) {
    let key = zarrFormat == 3 ? "zarr.json" : ".zgroup"
    let copy = MemoryStore([key: root.value.bytes()])
    do {
      _ = try ZarrGroup.open(copy, path: "")
    } catch {
      report(.zarrGroup, root, error.message)
    }
  }
}

/// What lies under a key.
enum NodeKind: Sendable {
  case group(GroupNode)
  /// An array; its document.
  case array(Spot, zarrFormat: Int)
  case absent
}

extension Validator {
  /// Reads what lies under a key.
  ///
  /// - Parameters:
  ///   - store: Where it is.
  ///   - path: The key.
  ///   - verdict: Takes what is wrong with the documents.
  /// - Returns: A group, an array, or nothing.
  func node(_ store: any Store, _ path: String, _ verdict: inout Verdict) -> NodeKind {
    let key = joinedKey(path, "zarr.json")
    if let root = document(store, key, &verdict) {
      if root["node_type"]?.value == "array" { return .array(root, zarrFormat: 3) }
      let metadata = OMEMetadata(
        root["attributes"] ?? Spot(.object([:]), JSONPointer().appending("attributes")),
        zarrFormat: 3)
      return group(root, store, path, key, 3, metadata, &verdict)
    }
    if let root = document(store, joinedKey(path, ".zarray"), &verdict) {
      return .array(root, zarrFormat: 2)
    }
    let attributesKey = joinedKey(path, ".zattrs")
    let root = document(store, joinedKey(path, ".zgroup"), &verdict)
    let attributes = document(store, attributesKey, &verdict)
    if root == nil && attributes == nil { return .absent }
    var metadata = OMEMetadata(attributes ?? Spot(.object([:])), zarrFormat: 2)
    if metadata.versionSpot == nil, metadata.version == .v0_1 {
      metadata = metadata.settled(separator: separator(store, path, metadata))
    }
    if root == nil {
      var inspector = self.inspector(attributesKey, metadata.version, .hierarchy)
      inspector.report(.zarrGroup, Spot(.null), "there is no `.zgroup` beside it", isMissing: true)
      verdict.add(inspector.findings)
    }
    return group(root, store, path, attributesKey, 2, metadata, &verdict)
  }

  private func group(
    _ root: Spot?, _ store: any Store, _ path: String, _ file: String, _ zarrFormat: Int,
    _ metadata: OMEMetadata, _ verdict: inout Verdict
  ) -> NodeKind {
    if let root {
      var inspector = self.inspector(
        zarrFormat == 3 ? file : joinedKey(path, ".zgroup"), metadata.version, .hierarchy)
      inspector.group(root, zarrFormat: zarrFormat)
      verdict.add(inspector.findings)
      if zarrFormat == 3 { oneFormat(root, store, path, file, metadata.version, &verdict) }
    }
    return .group(
      GroupNode(path: path, file: file, zarrFormat: zarrFormat, metadata: metadata))
  }

  /// Notes documents of Zarr v2 beside a group of v3.
  ///
  /// The names of the folder are one look. A server is not asked for what readers of v3 never look for.
  private func oneFormat(
    _ root: Spot, _ store: any Store, _ path: String, _ file: String, _ version: FormatVersion,
    _ verdict: inout Verdict
  ) {
    if store.isRemote { return }
    let there = (try? store.list(path)) ?? []
    let names = [".zgroup", ".zattrs", ".zarray"].filter(there.contains)
    if names.isEmpty { return }
    // A group without metadata says no version, but is one of v3.
    var inspector = self.inspector(file, max(version, .v0_5), .hierarchy)
    inspector.report(
      .zarrOneFormat, root,
      "beside it lies \(names.map { "`\($0)`" }.joined(separator: ", ")) of Zarr v2")
    verdict.add(inspector.findings)
  }

  /// What the keys of chunks of an image are made with; nil when its first array does not say.
  private func separator(
    _ store: any Store, _ path: String, _ metadata: OMEMetadata
  ) -> String? {
    var unused = Verdict(isStrict: options.isStrict)
    let dataset = metadata.keys["multiscales"]?.elements.first?["datasets"]?.elements.first
    guard let level = dataset?["path"]?.value.stringValue,
      case .inside(let key) = Destination(level, from: path)
    else { return nil }
    return document(store, joinedKey(key, ".zarray"), &unused)?["dimension_separator"]?
      .value.stringValue
  }

  /// Reads a document; nil when it is absent or broken, which is noted.
  func document(_ store: any Store, _ key: String, _ verdict: inout Verdict) -> Spot? {
    do {
      guard let bytes = try store.get(key, limit: JSON.maximumBytes) else { return nil }
      verdict.documents += 1
      return Spot(try JSON(parsing: bytes, subject: key, lenient: key.hasSuffix(".zattrs")))
    } catch {
      verdict.add(broken(error, rule: .documentReadable, file: key))
      return nil
    }
  }

  /// The names below a key; none when it cannot be listed, which is noted, and where nothing ever is.
  func names(_ store: any Store, _ path: String, _ verdict: inout Verdict) -> [String] {
    if !store.canList { return [] }
    do {
      // A key with an empty part, as object stores may have, is no place below this one.
      return try store.list(path).filter { !$0.isEmpty }
    } catch {
      verdict.add(broken(error, rule: .documentReadable, file: path))
      return []
    }
  }
}
