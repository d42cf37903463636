import OMImage
import OMJSON
import OMStore

extension Validator {
  /// Judges the label images of an image.
  func labelsGroup(
    below node: GroupNode, _ shape: ImageShape?, _ walk: Walk, _ verdict: inout Verdict
  ) {
    let path = joinedKey(node.path, "labels")
    switch self.node(walk.store, path, &verdict) {
    case .array: return
    case .absent:
      // Zarr v3 knows no groups without a document.
      var inspector = self.inspector(node.file, node.metadata.version, .hierarchy)
      if names(walk.store, path, &verdict).contains(where: { !$0.hasPrefix(".") }) {
        inspector.report(
          .zarrGroup, node.metadata.keys, "there is a folder `labels` that is no group")
      }
      verdict.add(inspector.findings)
    case .group(let group):
      var inspector = self.inspector(group.file, group.version(in: walk), .hierarchy)
      let facts = inspector.document(group.metadata)
      inspector.compare(group.metadata, with: walk.root)
      if facts.labels == nil {
        inspector.report(
          .labelsGroup, group.metadata.keys, "`labels` is missing, expected a list of paths",
          isMissing: true)
      }
      verdict.add(inspector.findings)
      listedLabels(group, facts, shape, walk, &verdict)
    }
  }

  /// Judges what a list of labels names, and looks for what it leaves out.
  func listedLabels(
    _ group: GroupNode, _ facts: DocumentFacts, _ shape: ImageShape?, _ walk: Walk,
    _ verdict: inout Verdict
  ) {
    var inspector = self.inspector(group.file, group.version(in: walk), .hierarchy)
    var listed: Set<String> = []
    for (path, spot) in facts.labels ?? [] where listed.insert(path).inserted {
      let key = joinedKey(group.path, path)
      if case .group(let label) = node(walk.store, key, &verdict),
        label.metadata.keys["multiscales"] != nil
      {
        self.label(label, shape, walk, &verdict)
      } else {
        inspector.report(.labelsPresent, spot, "there is no image at `\(path)`")
      }
    }
    let list = group.metadata.keys["labels"] ?? group.metadata.keys
    var open = [""]
    while let folder = open.popLast() {
      for name in names(walk.store, joinedKey(group.path, folder), &verdict)
      where !name.hasPrefix(".") && name != "zarr.json" {
        let path = joinedKey(folder, name)
        if listed.contains(path) { continue }
        guard
          case .group(let other) = node(walk.store, joinedKey(group.path, path), &verdict)
        else { continue }
        if other.metadata.keys["multiscales"] != nil {
          inspector.report(.labelsAll, list, "the label image `\(path)` is not listed")
          label(other, shape, walk, &verdict)
        } else {
          between(other, walk, &verdict)
          if path.split(separator: "/").count < 8 { open.append(path) }
        }
      }
    }
    verdict.add(inspector.findings)
  }

  private func between(_ group: GroupNode, _ walk: Walk, _ verdict: inout Verdict) {
    guard group.metadata.holdsAnything else { return }
    var inspector = self.inspector(group.file, group.version(in: walk), .hierarchy)
    inspector.report(
      .labelsBetween, group.metadata.keys, "a group between `labels` and its images has metadata")
    verdict.add(inspector.findings)
  }

  /// Judges a label image.
  private func label(
    _ node: GroupNode, _ shape: ImageShape?, _ walk: Walk, _ verdict: inout Verdict
  ) {
    var inspector = self.inspector(node.file, node.metadata.version, .hierarchy)
    let facts = inspector.document(node.metadata)
    inspector.compare(node.metadata, with: walk.root)
    let keys = node.metadata.keys
    if keys["image-label"] == nil {
      inspector.report(.labelMissing, keys, "`image-label` is missing", isMissing: true)
    }
    images(facts, node, walk, &inspector, &verdict, label: shape, isLabel: true)
    source(of: node, isBelowImage: shape != nil, walk, &inspector, &verdict)
    verdict.labels += 1
    verdict.add(inspector.findings)
  }

  /// Looks for the image that a label image was made of.
  ///
  /// Where only the labels of an image are judged, theirs lies above the root as it should.
  private func source(
    of node: GroupNode, isBelowImage: Bool, _ walk: Walk, _ inspector: inout Inspector,
    _ verdict: inout Verdict
  ) {
    guard let spot = node.metadata.keys["image-label"]?["source"]?["image"],
      let path = spot.value.stringValue
    else { return }
    guard case .inside(let key) = Destination(path, from: node.path) else {
      if isBelowImage, !path.hasPrefix("/"), !path.contains("://") {
        inspector.report(.labelSourceInside, spot, "\"\(path)\" leads out of the root")
      }
      return
    }
    if case .group(let image) = self.node(walk.store, key, &verdict),
      image.metadata.keys["multiscales"] != nil
    {
      return
    }
    inspector.report(.labelSourcePresent, spot, "there is no image at \"\(path)\"")
  }
}

extension GroupNode {
  /// The version of its rules: that of the root where the group says none.
  func version(in walk: Walk) -> FormatVersion {
    metadata.versionSpot == nil ? walk.root?.version ?? metadata.version : metadata.version
  }
}
