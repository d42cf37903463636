import OMImage
import OMJSON
import OMRun
import OMStore

extension FuzzTarget {
  /// The documents of an image, a well or a plate: keys and documents in turn.
  static let omeMetadata = FuzzTarget(
    "ome-metadata",
    refusals: [.json, .metadata, .limit, .unsupported, .path, .missing]
  ) { bytes in
    let store = MemoryStore()
    var input = FuzzInput(bytes)
    while !input.isEmpty {
      let key = input.text()
      store[key] = input.part()
    }
    let root = ImageLocation(store: store, path: "")
    let source = try ImageSource.open(root, filter: WellFilter())
    for item in source.items.prefix(8) where item.fault == nil {
      try checkBelow(item.location.path)
      try checkImage(item.location)
    }
    let verifier = Verifier(fuzzedVerifyOptions)
    verifier.verify(source)
    try promise(
      verifier.report.problems.listed.allSatisfy { !$0.fault.subject.isEmpty },
      "verify finds something nowhere")
  }
}

/// A path that a document named does not leave the store.
private func checkBelow(_ path: String) throws {
  let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
  let isBelow = parts.allSatisfy { part in
    !part.elementsEqual("..".utf8) && (!part.isEmpty || path.isEmpty)
  }
  try promise(isBelow, "the path \(path) leaves the store")
}

private func checkImage(_ location: ImageLocation) throws {
  let image = try OMEImage.open(location)
  for level in image.levels { try checkBelow(level.path) }
  try promise((2...5).contains(image.axes.count), "\(image.axes.count) axes")
  try promise(
    image.levels.allSatisfy { $0.scale.count == image.axes.count && !$0.scale.contains(0) },
    "a scale that does not fit the axes")
  try promise(
    Set(image.axes.map(\.letter)).count == image.axes.count, "two axes with one letter")
  try checkLabelsList(image)
  try checkLabel(of: image)
  for holder in ConsolidatedMetadata.holders(of: location.path) { try checkCopy(holder, image) }
  _ = try image.arrays()
}

/// The list of label images learns a name and loses none.
private func checkLabelsList(_ image: OMEImage) throws {
  let (store, path) = (image.location.store, image.location.path)
  let list: LabelsList
  do {
    list = try LabelsList.read(store, image: path, version: image.version)
  } catch {
    // Another refusal; what follows does not depend on it.
    return
  }
  for name in list.names { try checkBelow(name) }
  let changed = MemoryStore()
  for name in [".zgroup", ".zattrs", "zarr.json"] {
    let key = "labels/\(name)"
    changed[key] = try store.get(joinedKey(path, key), limit: JSON.maximumBytes)
  }
  for document in list.adding("fuzzed") { changed[document.key] = document.bytes }
  let again = try LabelsList.read(changed, image: "", version: image.version)
  let expected = list.names.contains("fuzzed") ? list.names : list.names + ["fuzzed"]
  try promise(again.names == expected, "the list became \(again.names)")
}

/// A label image that is made of the image can be read.
private func checkLabel(of image: OMEImage) throws {
  let label = LabelDocuments(
    image: image, version: image.version, name: "fuzzed", firstLevel: 0,
    levelCount: image.levels.count, keepsChannelAxis: false,
    pyramid: PyramidDescription(method: "mode", description: "most frequent"), record: [:])
  let store = MemoryStore()
  for document in label.group(source: LabelDocuments.sourceInPlace) {
    store[document.key] = document.bytes
  }
  let again: OMEImage
  do {
    again = try OMEImage.open(ImageLocation(store: store, path: ""))
  } catch {
    throw BrokenPromise(text: "the label image is refused: \(error)")
  }
  try promise(again.axes.map(\.name) == label.axisNames, "the label image has other axes")
}

/// A copy of the metadata learns of a document once.
private func checkCopy(_ holder: String, _ image: OMEImage) throws {
  let store = image.location.store
  let name = joinedKey(image.location.path, "labels/fuzzed/zarr.json")
  let change = ConsolidatedMetadata.Change(
    written: [MetadataDocument(key: name, json: ["zarr_format": 3])],
    replaced: joinedKey(image.location.path, "labels/fuzzed"))
  for format in [2, 3] {
    let updated: MetadataDocument?
    do {
      updated = try ConsolidatedMetadata.updated(
        holder, in: store, zarrFormat: format, by: [change])
    } catch {
      continue
    }
    guard let updated else { continue }
    let again = MemoryStore([updated.key: updated.bytes])
    let second = try ConsolidatedMetadata.updated(
      holder, in: again, zarrFormat: format, by: [change])
    try promise(second == nil, "the copy in \(updated.key) changes again")
  }
}
