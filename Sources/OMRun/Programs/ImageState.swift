import OMImage
import OMJSON
import OMStore
import OMZarr

/// How an image lies on the disk, part by part, so that changes are seen without reading voxels.
///
/// A part is an array of the image, a label image, a table, or what the metadata say of the voxels. Its
/// digest is made of sizes and times of its files. The lists of labels and tables are no part: others
/// add to them.
struct ImageState: Sendable, Equatable {
  /// Digests by part: `0`, `labels/nuclei`, `tables/rois`; the empty name is that of the metadata.
  private(set) var parts: [String: String] = [:]

  /// The state of an image that is not there.
  static let absent = ImageState()

  private init() {}

  private static let shelves = Shelf.allCases.map(\.name)

  /// Looks at an image; nil when there is none.
  ///
  /// *Local*.
  ///
  /// - Parameter path: Its folder.
  /// - Throws: What the disk throws.
  init?(at path: String) throws(Fault) {
    let folder: OutputFolder
    do throws(Fault) {
      folder = try OutputFolder(path: path)
    } catch {
      if error.kind == .missing { return nil }
      throw error
    }
    parts[""] = try Self.metadataDigest(path)
    for name in try Self.folders(in: folder) {
      guard Self.shelves.contains(name) else {
        parts[name] = try folder.digest(of: name)
        continue
      }
      let shelf = try folder.folder(name)
      for entry in try Self.folders(in: shelf) {
        parts["\(name)/\(entry)"] = try shelf.digest(of: entry)
      }
    }
  }

  /// The folders in a folder that are no secrets of anybody.
  private static func folders(in folder: OutputFolder) throws(Fault) -> [String] {
    var names: [String] = []
    for name in try folder.list() where !name.hasPrefix(".") && !name.hasSuffix(".ngio-locks") {
      if try folder.kind(of: name) == .folder { names.append(name) }
    }
    return names
  }

  /// What the metadata say of voxels and channels; what cannot be read says nothing.
  private static func metadataDigest(_ path: String) throws(Fault) -> String {
    let store = try FileStore(root: path)
    let attributes = (try? ZarrGroup.open(store, path: ""))??.attributes ?? JSONObject()
    let keys = attributes["ome"]?.objectValue ?? attributes
    let bytes = ["multiscales", "omero"].flatMap { keys[$0]?.bytes() ?? [0] }
    return hexadecimal(sha256(bytes))
  }

  // MARK: - Comparing

  /// Whether all parts of an earlier state are as they were; what came since does not count.
  func keeps(_ earlier: ImageState) -> Bool { firstChange(since: earlier) == nil }

  /// A part of an earlier state that is gone or has changed; nil when there is none.
  func firstChange(since earlier: ImageState) -> String? {
    earlier.parts.sorted { $0.key < $1.key }.first { parts[$0.key] != $0.value }?.key
  }

  /// The parts that are new or other ones than before.
  func made(since earlier: ImageState) -> [String] {
    parts.keys.sorted().filter { parts[$0] != earlier.parts[$0] }
  }

  /// Whether the voxels of the image itself are those of another state.
  func hasVoxels(of other: ImageState) -> Bool { voxels == other.voxels }

  /// Whether voxels and what the metadata say of them are those of another state.
  func hasContent(of other: ImageState) -> Bool {
    hasVoxels(of: other) && parts[""] == other.parts[""]
  }

  private var voxels: [String: String] {
    parts.filter { Self.isOfVoxels($0.key) }
  }

  /// Whether a part is an array of the image itself.
  static func isOfVoxels(_ part: String) -> Bool {
    !part.isEmpty && !shelves.contains { part.hasPrefix($0 + "/") }
  }

  // MARK: - As JSON

  /// The state as it is kept in records.
  var json: JSON {
    .object(
      JSONObject(members: parts.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
  }

  /// Reads what `json` made; nil for anything else.
  init?(_ json: JSON?) {
    guard let object = json?.objectValue else { return nil }
    for (part, digest) in object.members {
      guard let text = digest.stringValue else { return nil }
      parts[part] = text
    }
  }
}
