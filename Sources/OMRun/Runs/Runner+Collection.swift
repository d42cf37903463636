import OMImage
import OMJSON
import OMManifest
import OMStore

/// The collection of RFC-8 in which a run lists what it made.
extension Runner {
  /// Looks at the collection in which results are to be listed; nil when there is none.
  func checkCollection() throws -> CollectionRegister? {
    guard let uri = request.options.collection else { return nil }
    if runsProgram {
      throw Fault(
        .usage, "--collection",
        "\(request.manifest.identifier) does whole images by itself, what it makes is not listed")
    }
    if request.options.part != nil {
      throw Fault(
        .usage, "--collection", "parts end at different times, none of them knows all results",
        hint: "list them when all parts are done: the same command without `--part`")
    }
    if let output = request.options.output, ZipStore.isOZX(output) {
      throw Fault(
        .usage, "--collection", "`--output` is an archive, to which no collection can lead",
        hint: "write into a folder, and `omtask pack` it when all is done")
    }
    let places = inputs.items.compactMap(\.location).filter { Bucket($0.store) != nil }
    if request.options.output.map(RemoteStore.takes) ?? !places.isEmpty {
      throw Fault(
        .usage, "--collection", "results in a bucket are not listed in a local file",
        hint: "leave `--collection` out, or put the results into a local folder with `--output`")
    }
    let outputs = request.manifest.traits.outputs
    if !outputs.contains(where: { $0.kind == "image" || $0.kind == "label" }) {
      throw Fault(
        .usage, "--collection",
        "\(request.manifest.identifier) makes no image that a collection could list")
    }
    return try engine.agree { try CollectionRegister(uri) }
  }

  /// Lists what was made, or was there already, in a collection.
  ///
  /// *Collective*.
  func list(_ report: RunReport, in collection: CollectionRegister?) throws {
    guard let collection else { return }
    var entries: [CollectionList.Entry] = []
    for (item, image) in zip(inputs.items, report.images) where image.status != .failed {
      let source = item.location.flatMap { $0.store.folder == nil ? nil : $0.displayName }
      for output in image.outputs where output.kind == .label || output.kind == .image {
        entries.append(
          .init(
            path: try FileStore(root: output.uri).root, source: source,
            isLabel: output.kind == .label))
      }
    }
    let record: JSONObject = [
      "task": .string(request.manifest.identifier),
      "result_version": JSON(request.manifest.traits.resultVersion),
      "parameters": .object(request.parameters.resultValues),
    ]
    let found = entries
    try engine.agree {
      if engine.rank != 0 { return }
      do throws(Fault) {
        try collection.add(
          found, record: .object(record), request.lockRules(.thisProcess(), warn),
          isDurable: request.options.durability != .none)
      } catch {
        var fault = error
        fault.facts.append("the results are complete; the same command lists them")
        throw fault
      }
    }
  }
}
