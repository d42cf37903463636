import OMCodecs
import OMGrid
package import OMJSON
package import OMStore
package import OMTiff
import OMZarr

/// TIFF files, read as if they were an OME-Zarr without shards and compression.
///
/// One image lies at the root; of several each lies in a group of its own, as bioformats2raw does it. Chunks
/// are tiles or whole strips; they are decoded when they are read. Nothing can be written.
package final class TiffStore: Store {
  private let files: TiffSet
  private let documents: [String: MetadataDocument]
  private let layouts: [ArrayLayout]

  /// Opens files.
  ///
  /// - Throws: What is wrong with them.
  package init(_ set: TiffSet) throws(Fault) {
    self.files = set
    var documents: [MetadataDocument] = []
    var layouts: [ArrayLayout] = []
    for (number, image) in set.images.enumerated() {
      let made = TiffDocuments(image, name: image.name ?? TiffStore.name(of: set))
      let group = set.images.count == 1 ? "" : "\(number)"
      do throws(Fault) {
        let layout = try made.layout()
        layouts.append(layout)
        documents += made.group.map { $0.below(group) }
        documents += layout.documents(attributes: [:]).map {
          MetadataDocument(key: joinedKey(group, "0/\($0.name)"), json: $0.document)
        }
      } catch { throw error.below(set.description) }
    }
    if set.images.count > 1 { documents += TiffDocuments.series(set.images.count) }
    self.layouts = layouts
    self.documents = Dictionary(documents.map { ($0.key, $0) }) { first, _ in first }
  }

  /// The name of the first file, without what tells its format.
  private static func name(of set: TiffSet) -> String {
    var name = set.description.split(separator: "/").last.map(String.init) ?? ""
    for ending in [".ome.tiff", ".ome.tif", ".tiff", ".tif"]
    where name.lowercased().hasSuffix(ending) {
      name.removeLast(ending.count)
      break
    }
    return name
  }

  package var description: String { files.description }
  package var folder: String? { nil }
  /// Whether a path without links is one of the files.
  package func holds(_ path: String) -> Bool { files.holds(path) }
  /// What is odd but can be read.
  package var warnings: [String] { files.warnings }

  /// Refuses a pattern of which files are not there.
  ///
  /// - Throws: A fault of kind `missing` with the first of their names.
  package func checkComplete() throws(Fault) {
    guard let first = files.missing.first else { return }
    throw Fault(
      .missing, description,
      "`\(first)` is not there"
        + (files.missing.count == 1 ? "" : ", and \(files.missing.count - 1) more"),
      facts: files.missing.dropFirst().prefix(8).map { "`\($0)` is not there" },
      hint: "`--on-damage fill` takes 0 for what is missing and lists it in the report")
  }
  /// Sizes and times of all files: what tells the same files from others.
  package var stamps: [ValueStamp] { files.stamps() }

  package func get(_ key: String, limit: Int) throws(Fault) -> [UInt8]? {
    documents[key]?.bytes
  }

  package func open(_ key: String) throws(Fault) -> OpenedValue? {
    if let document = documents[key] { return OpenedValue(key: key, bytes: document.bytes) }
    guard let chunk = chunk(key) else { return nil }
    return OpenedValue(key: key, size: chunk.byteCount, maker: chunk)
  }

  package func list(_ prefix: String) throws(Fault) -> [String] {
    let start = prefix.isEmpty ? "" : prefix + "/"
    let below = documents.keys.filter { $0.hasPrefix(start) }
    return Set(below.map { String($0.dropFirst(start.count).prefix { $0 != "/" }) }).sorted()
  }

  package func isFolder(_ key: String) throws(Fault) -> Bool {
    key.isEmpty || documents.keys.contains { $0.hasPrefix(key + "/") }
  }

  package func stamp(_ key: String) throws(Fault) -> ValueStamp? {
    if let document = documents[key] { return ValueStamp(size: document.bytes.count, modified: 0) }
    guard let chunk = chunk(key) else { return nil }
    return files.stamp(chunk.image, t: chunk.t, c: chunk.fileChannel, z: chunk.z)
  }

  /// The chunk of a key; nil for a key that no chunk has.
  private func chunk(_ key: String) -> TiffChunk? {
    var rest = key[...]
    var number = 0
    if files.images.count > 1 {
      guard let slash = rest.firstIndex(of: "/"), let image = Int(rest[..<slash]),
        layouts.indices.contains(image)
      else { return nil }
      number = image
      rest = rest[rest.index(after: slash)...]
    }
    guard rest.hasPrefix("0/") else { return nil }
    let layout = layouts[number]
    let grid = layout.unitGrid
    guard
      case .chunk(let position) = KeyEncoding.v3().classify(
        String(rest.dropFirst(2)), gridShape: grid.gridShape)
    else { return nil }
    return TiffChunk(
      set: files, image: number, position: position, shape: layout.chunkShape,
      itemBytes: layout.dataType.byteCount)
  }
}

/// One chunk of an image in TIFF files.
private struct TiffChunk: ValueMaker {
  let set: TiffSet
  let image: Int
  let shape: [Int]
  let itemBytes: Int
  let t: Int
  let channel: Int
  let z: Int
  let origin: (y: Int, x: Int)

  init(set: TiffSet, image: Int, position: [Int], shape: [Int], itemBytes: Int) {
    self.set = set
    self.image = image
    self.shape = shape
    self.itemBytes = itemBytes
    var place: [Character: Int] = [:]
    for (axis, number) in zip(set.images[image].axes, zip(position, shape)) {
      place[axis] = number.0 * number.1
    }
    t = place["t"] ?? 0
    channel = place["c"] ?? 0
    z = place["z"] ?? 0
    origin = (place["y"] ?? 0, place["x"] ?? 0)
  }

  var byteCount: Int { shape.reduce(itemBytes, *) }

  /// The channel as the file counts them: colours are one.
  var fileChannel: Int { channel / set.images[image].page.samples }

  func make(into buffer: UnsafeMutableRawBufferPointer) throws(Fault) {
    let rank = shape.count
    try set.read(
      image, t: t, channel: channel, z: z, origin: origin,
      shape: (shape.dropLast(2).reduce(1, *), shape[rank - 2], shape[rank - 1]), into: buffer)
  }
}
