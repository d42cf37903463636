import OMImage
import OMJSON
import OMStore

extension Validator {
  /// Judges the rows and wells of a plate, with all threads.
  func plate(_ plate: PlateFacts, _ node: GroupNode, _ walk: Walk, _ verdict: inout Verdict) {
    let listed = Dictionary(grouping: plate.wells, by: \.row).mapValues { Set($0.map(\.column)) }
    let rows = Set(plate.rows.filter(\.isAlphanumeric)).sorted()
    let inRows = each(rows.count) { worker, place in
      worker.row(rows[place], listed[rows[place]], plate.spot, node, walk)
    }
    for part in inRows { verdict.add(part) }
    let inWells = each(plate.wells.count) { worker, place in
      worker.well(plate.wells[place], plate, node, walk)
    }
    for part in inWells { verdict.add(part) }
  }

  /// Judges the group of a row; `listed` are the columns of its wells, nil when it has none.
  private func row(
    _ row: String, _ listed: Set<String>?, _ plate: Spot, _ node: GroupNode, _ walk: Walk
  ) -> Verdict {
    var verdict = Verdict(isStrict: options.isStrict)
    var inspector = self.inspector(node.file, node.metadata.version, .hierarchy)
    let path = joinedKey(node.path, row)
    switch self.node(walk.store, path, &verdict) {
    case .group(let group):
      if listed == nil {
        inspector.report(.plateRowEmpty, plate, "the row `\(row)` has a group and no wells")
      }
      if group.metadata.holdsAnything {
        inspector.report(.plateRowPlain, plate, "the group of row `\(row)` has metadata")
      }
      for name in names(walk.store, path, &verdict)
      where name.isAlphanumeric && listed?.contains(name) != true {
        if case .group(let well) = self.node(walk.store, joinedKey(path, name), &verdict),
          well.metadata.keys["well"] != nil
        {
          inspector.report(.plateWellAll, plate, "the well `\(row)/\(name)` is not listed")
        }
      }
    case .absent where listed == nil: break
    default:
      inspector.report(.plateGroups, plate, "the row `\(row)` is no group")
    }
    verdict.add(inspector.findings)
    return verdict
  }

  private func well(
    _ well: PlateFacts.Well, _ plate: PlateFacts, _ node: GroupNode, _ walk: Walk
  ) -> Verdict {
    var verdict = Verdict(isStrict: options.isStrict)
    let key = joinedKey(node.path, well.path)
    guard case .group(let group) = self.node(walk.store, key, &verdict),
      group.metadata.keys["well"] != nil
    else {
      var inspector = self.inspector(node.file, node.metadata.version, .hierarchy)
      inspector.report(.plateWellPresent, well.spot, "there is no well at `\(well.path)`")
      verdict.add(inspector.findings)
      return verdict
    }
    var inspector = self.inspector(group.file, group.version(in: walk), .hierarchy)
    let facts = inspector.document(group.metadata)
    inspector.compare(group.metadata, with: walk.root)
    verdict.note(facts)
    verdict.add(inspector.findings)
    self.well(facts.fields ?? [], group, plate, walk, &verdict)
    return verdict
  }

  /// Judges the fields of a well.
  func well(
    _ fields: [FieldFacts], _ node: GroupNode, _ plate: PlateFacts?, _ walk: Walk,
    _ verdict: inout Verdict
  ) {
    var inspector = self.inspector(node.file, node.version(in: walk), .hierarchy)
    let images = node.metadata.keys["well"]?["images"] ?? node.metadata.keys
    if let plate {
      inspector.acquisitions(of: fields, in: plate, images: images)
      if let limit = plate.fieldCount, fields.count > limit {
        inspector.report(
          .plateFieldCountTrue, images,
          "there are \(fields.count) fields, `field_count` of the plate is \(limit)")
      }
    }
    for field in fields {
      if !image(joinedKey(node.path, field.path), walk, &verdict) {
        inspector.report(.wellImagePresent, field.spot, "there is no image at `\(field.path)`")
      }
    }
    verdict.add(inspector.findings)
  }

  /// Judges an image with its labels; false when there is none.
  func image(_ key: String, _ walk: Walk, _ verdict: inout Verdict) -> Bool {
    guard case .group(let image) = node(walk.store, key, &verdict),
      image.metadata.keys["multiscales"] != nil
    else { return false }
    _ = group(image, walk, &verdict)
    return true
  }
}
