import OMJSON

/// What a document holds, as far as it could be read.
struct DocumentFacts: Sendable {
  /// Where its metadata lie.
  let metadata: OMEMetadata
  /// The entries of `multiscales`.
  var images: [MultiscaleFacts] = []
  /// The number of channels of `omero`.
  var channels: Int?
  /// `plate`.
  var plate: PlateFacts?
  /// The images of `well`.
  var fields: [FieldFacts]?
  /// The paths in `labels`.
  var labels: [(path: String, spot: Spot)]?
  /// The paths in `series`.
  var series: [(path: String, spot: Spot)]?
  /// The systems of other groups that a scene names.
  var scene: [SystemReference] = []
  /// The nodes of RFC-8.
  var collection: CollectionFacts?

  /// What it is for people: `image`.
  var kind: String {
    let keys = metadata.keys
    if let type = collection?.type { return type }
    if keys["plate"] != nil { return "plate" }
    if keys["well"] != nil { return "well" }
    if keys["image-label"] != nil { return "label image" }
    if keys["multiscales"] != nil { return "image" }
    if keys["bioformats2raw.layout"] != nil { return "bioformats2raw group" }
    if keys["scene"] != nil { return "scene" }
    if keys["labels"] != nil { return "list of labels" }
    if keys["series"] != nil { return "list of series" }
    return metadata.isCollection ? "node" : "document"
  }
}

extension Inspector {
  /// Checks everything of OME-Zarr in a document.
  mutating func document(_ metadata: OMEMetadata) -> DocumentFacts {
    var facts = DocumentFacts(metadata: metadata)
    let keys = metadata.keys
    if metadata.isMisplaced {
      report(.omePlacement, keys, "metadata lie beside `ome`, expected inside")
    }
    guard keys.value.objectValue != nil else {
      report(.omeObject, keys, "`ome` is \(keys.value.excerpt), expected an object")
      return facts
    }
    if metadata.isCollection {
      facts.collection = collection(keys)
      return facts
    }
    documentVersion(metadata)
    if let list = keys["multiscales"] { facts.images = multiscales(list) }
    if let omero = keys["omero"] {
      facts.channels = self.omero(omero)
      if keys["multiscales"] == nil {
        report(.omeroAlone, keys, "`multiscales` is missing", isMissing: true)
      }
    }
    if let label = keys["image-label"] {
      imageLabel(label)
      if keys["multiscales"] == nil {
        report(.labelImage, keys, "`multiscales` is missing", isMissing: true)
      }
    }
    if let plate = keys["plate"] { facts.plate = self.plate(plate) }
    if let well = keys["well"] { facts.fields = self.well(well) }
    if let list = keys["labels"] { facts.labels = labels(list) }
    if let layout = keys["bioformats2raw.layout"] { seriesLayout(layout) }
    if let list = keys["series"] { facts.series = series(list) }
    if let scene = keys["scene"] { facts.scene = self.scene(scene) }
    return facts
  }
}
