import OMImage
import OMJSON
import OMManifest
import OMStore

/// What rank 0 does when all images have had their turn.
extension Runner {
  /// The most warnings of one kind that are told one by one; the report has them all.
  private static var toldWarnings: Int { 20 }

  /// Brings groups above the images up to date and tells what people should know.
  ///
  /// *Local*, rank 0.
  func close(_ report: RunReport) {
    guard engine.rank == 0 else { return }
    tell(report.images.compactMap { $0.damage.warning($0.uri) }, of: "images with damaged chunks")
    tell(
      report.images.flatMap(\.outputs).compactMap(\.replaced),
      of: "results that omtask did not make and that were replaced")
    tell(updateAncestors(report), of: "groups whose consolidated metadata are not up to date")
  }

  /// Tells warnings of one kind, the first of them one by one.
  func tell(_ warnings: [String], of what: String) {
    for warning in warnings.prefix(Runner.toldWarnings) { observer?.handle(.warning(warning)) }
    if warnings.count > Runner.toldWarnings {
      observer?.handle(.warning("there are \(warnings.count) \(what), the first are named above"))
    }
  }

  /// What was made of which image.
  ///
  /// A program that is given all images tells of results of any of them.
  private func changes(_ report: RunReport) -> [(item: Inputs.Item, image: ImageReport)] {
    if !request.manifest.isWhole {
      return Array(zip(inputs.items, report.images)).filter { $0.1.status != .failed }
    }
    let made = report.images.filter { $0.status != .failed }
    var images: [String: Inputs.Item] = [:]
    var roots: [String: Inputs.Item] = [:]
    for item in inputs.items {
      guard let location = item.location else { continue }
      images[location.displayName] = item
      roots[location.store.description] = item
    }
    return made.flatMap(\.outputs).compactMap { output in
      let parts = output.uri.split(separator: "/", omittingEmptySubsequences: false)
      let item =
        output.kind == .image
        ? roots.first { output.uri.hasPrefix($0.key + "/") }?.value
        : images[parts.dropLast(2).joined(separator: "/")]
      guard let item else { return nil }
      var image = ImageReport(uri: item.uri, status: .done)
      image.outputs = [output]
      return (item, image)
    }
  }

  /// Updates the copies of metadata that plates and wells keep.
  ///
  /// - Returns: What could not be updated and why.
  private func updateAncestors(_ report: RunReport) -> [String] {
    var hierarchies: [String: AncestorMetadata] = [:]
    var groups = OutputRules.KnownGroups()
    var warnings: [String] = []
    let rules = request.lockRules(.thisProcess(), warn)
    let isDurable = request.options.durability != .none
    for (item, image) in changes(report) {
      for output in image.outputs {
        guard let plate = output.plate else { continue }
        guard let store = try? FileStore(root: plate) else { continue }
        var metadata = hierarchies[plate] ?? AncestorMetadata(store: store)
        metadata.add(ofNewPlate: String(output.uri.dropFirst(plate.count + 1)))
        hierarchies[plate] = metadata
      }
      if request.options.output != nil && !request.manifest.isWhole { continue }
      guard let location = item.location, !image.outputs.isEmpty else { continue }
      // The folder of a collection need be no hierarchy, nor one that can be written to.
      let top = OutputRules.hierarchy(of: location, &groups)
      let known = hierarchies[top]
      let isOwn = top == location.store.description
      guard let store = known?.store ?? (isOwn ? location.store : try? FileStore(root: top)) else {
        continue
      }
      let root = store.description
      let path = isOwn ? location.path : String(location.displayName.dropFirst(root.count + 1))
      var metadata = known ?? AncestorMetadata(store: store)
      for (kind, shelf) in [(OutputReport.Kind.label, Shelf.labels), (.table, .tables)] {
        let names = image.outputs.filter { $0.kind == kind }.map(\.name)
        if !names.isEmpty { metadata.add(path, names, on: shelf) }
      }
      for output in image.outputs where output.kind == .image && output.uri.hasPrefix(root + "/") {
        metadata.add(derived: String(output.uri.dropFirst(root.count + 1)))
      }
      if !isOwn && path.isEmpty {
        // Thousands of images of a collection cannot all stay open.
        warnings += metadata.update(rules, isDurable: isDurable)
      } else {
        hierarchies[root] = metadata
      }
    }
    return warnings
      + hierarchies.sorted { $0.key < $1.key }.flatMap {
        $0.value.update(rules, isDurable: isDurable)
      }
  }

  /// The fault with the way out of damaged chunks.
  func hinting(_ fault: Fault) -> Fault {
    guard request.options.onDamage == .stop, fault.hint == nil,
      [.codec, .checksum, .truncated].contains(fault.kind)
    else { return fault }
    var fault = fault
    fault.hint =
      "`--on-damage fill` takes damaged chunks as fill value and lists them in the report"
    return fault
  }
}
