import OMCodecs
import OMGrid
import OMImage
package import OMJSON
import OMStore
import OMZarr

/// Writes samples as OME-Zarr, cut in any way.
package struct SampleWriter {
  /// How chunks and shards are made.
  let layout: TrialLayout
  private let context = CodecContext()

  /// Makes a writer of samples that are stored in one way.
  package init(_ layout: TrialLayout) { self.layout = layout }

  /// Writes an image with its label images.
  ///
  /// - Parameters:
  ///   - sample: The image.
  ///   - path: Its folder, which is made.
  /// - Throws: What writing throws.
  package func write(_ sample: SampleImage, to path: String) throws(Fault) {
    let parts = path.split(separator: "/")
    guard let name = parts.last.map(String.init) else {
      throw Fault(.internal, path, "a sample has no name")
    }
    let parent = (path.hasPrefix("/") ? "/" : "./") + parts.dropLast().joined(separator: "/")
    let folder = try OutputFolder(path: parent).makeFolder(name)
    let levels = try sample.pyramid()
    let documents = NewImageDocuments(
      name: name, version: layout.version,
      axes: zip(sample.axes, sample.units).map { (letter: $0, unit: $1) },
      scales: levels.map(\.scale), omero: sample.omero)
    for document in documents.group(source: "") {
      try folder.write(document.key, document.bytes)
    }
    try write(levels, in: folder, below: "")
    if sample.labels.isEmpty { return }
    let image = try OMEImage.open(ImageLocation(store: try FileStore(root: path), path: ""))
    for (name, voxels) in sample.labels { try write(voxels, name, of: image, in: folder) }
    let list = try LabelsList.parse(nil, subject: "labels", version: layout.version)
    for document in list.adding(sample.labels.map(\.name)) {
      try folder.write(document.key, document.bytes)
    }
  }

  private func write(
    _ label: SampleImage, _ name: String, of image: OMEImage, in folder: OutputFolder
  ) throws(Fault) {
    let key = "\(Shelf.labels.name)/\(name)"
    var label = label
    label.levels = image.levels.count
    let levels = try label.pyramid()
    let documents = LabelDocuments(
      image: image, version: layout.version, name: name, firstLevel: 0,
      levelCount: levels.count, keepsChannelAxis: label.axes.contains("c"),
      pyramid: PyramidDescription(method: "stride", description: "every second voxel in space"),
      record: [:])
    for document in documents.group(source: LabelDocuments.sourceInPlace) {
      try folder.write(joinedKey(key, document.key), document.bytes)
    }
    try write(levels, in: folder, below: key)
  }

  private func write(
    _ levels: [SampleImage], in folder: OutputFolder, below path: String
  ) throws(Fault) {
    for (number, level) in levels.enumerated() {
      let key = joinedKey(path, LabelDocuments.levelPath(number))
      try write(level, layout.array(of: level), in: try folder.makeFolder(key))
    }
  }

  private func write(
    _ level: SampleImage, _ layout: ArrayLayout, in folder: OutputFolder
  ) throws(Fault) {
    for (name, document) in layout.documents(attributes: [:]) {
      try folder.write(name, document.bytes())
    }
    let encoder = ChunkEncoder(
      layout.compression, chunkShape: layout.chunkShape, dataType: layout.dataType)
    let assembler = UnitAssembler(layout)
    let chunks = ChunkGrid(arrayShape: layout.writeUnitShape, cellShape: layout.chunkShape)
    let units = layout.unitGrid
    try forEachPosition(in: Region(wholeOf: units.gridShape)) { (unit) throws(Fault) in
      assembler.begin()
      try forEachPosition(in: Region(wholeOf: chunks.gridShape)) { (chunk) throws(Fault) in
        let origin = unit.indices.map {
          unit[$0] * layout.writeUnitShape[$0] + chunk[$0] * layout.chunkShape[$0]
        }
        let box = Region(origin: origin, shape: layout.chunkShape)
        if let encoded = try encode(level, box, encoder) {
          assembler.add(chunkAt: chunk, encoded: encoded.bytes)
        }
      }
      if let bytes = assembler.finish() {
        try folder.write(layout.unitKey(unit), [bytes])
      }
    }
  }

  /// The bytes of a chunk, which may hang over the edge; nil where all of it is zero.
  private func encode(
    _ level: SampleImage, _ box: Region, _ encoder: ChunkEncoder
  ) throws(Fault) -> ByteBuffer? {
    let size = level.dataType.byteCount
    let raw = ByteBuffer()
    let room = raw.replace(byteCount: box.count * size)
    guard let start = room.baseAddress else { return nil }
    room.initializeMemory(as: UInt8.self, repeating: 0)
    level.bytes.withUnsafeBytes { source in
      guard let voxels = source.baseAddress else { return }
      VoxelBox(region: box, start: start, elementByteCount: size)
        .copy(from: voxels, Region(wholeOf: level.shape))
    }
    if isZero(UnsafeRawBufferPointer(room)) { return nil }
    let output = ByteBuffer()
    _ = try encoder.encode(start, onto: output, using: context)
    return output
  }
}
