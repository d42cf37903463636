import OMImage
import OMJSON
import OMStore

/// The way down a hierarchy; all groups below one root share it.
struct Walk: Sendable {
  let store: any Store
  /// What is checked against the root; nil for the root itself.
  var root: OMEMetadata?
  /// How many groups it has gone through.
  var depth = 0

  /// How many groups there may be on one way: a plate, a well, an image, its label images, with room to
  /// spare; what goes on is a circle of links or references.
  static let deepest = 8

  /// The way on below a group, which is the root when there is none yet.
  func below(_ metadata: OMEMetadata) -> Walk {
    Walk(store: store, root: root ?? metadata, depth: depth + 1)
  }
}

extension Validator {
  /// Judges a group and everything below it.
  ///
  /// - Returns: What its document holds; references of RFC-8 are left to the caller.
  func group(_ node: GroupNode, _ walk: Walk, _ verdict: inout Verdict) -> DocumentFacts {
    var inspector = self.inspector(node.file, node.metadata.version, .hierarchy)
    let facts = inspector.document(node.metadata)
    inspector.compare(node.metadata, with: walk.root)
    let below = walk.below(node.metadata)
    if walk.depth >= Walk.deepest {
      inspector.report(
        .documentReadable, node.metadata.keys,
        "there are \(walk.depth) groups above it on the way that metadata lead, what lies below is not "
          + "judged", isMissing: true)
      verdict.add(inspector.findings)
      return facts
    }
    if !facts.images.isEmpty {
      let shape = images(facts, node, below, &inspector, &verdict)
      labelsGroup(below: node, shape, below, &verdict)
    }
    verdict.note(facts, isRoot: walk.root == nil)
    verdict.add(inspector.findings)
    if let plate = facts.plate {
      self.plate(plate, node, below, &verdict)
    } else if node.metadata.keys["bioformats2raw.layout"] != nil {
      series(node, below, &verdict)
    }
    if let fields = facts.fields, walk.root == nil {
      well(fields, node, nil, below, &verdict)
    }
    if facts.labels != nil, facts.images.isEmpty, walk.root == nil {
      listedLabels(node, facts, nil, below, &verdict)
    }
    if !facts.scene.isEmpty { scene(facts.scene, node, below, &verdict) }
    return facts
  }

  /// Judges the arrays of an image; returns the size of the first entry.
  @discardableResult
  func images(
    _ facts: DocumentFacts, _ node: GroupNode, _ walk: Walk, _ inspector: inout Inspector,
    _ verdict: inout Verdict, label image: ImageShape? = nil, isLabel: Bool = false
  ) -> ImageShape? {
    verdict.judges(node.path)
    var first: ImageShape?
    for entry in facts.images {
      let levels = entry.levels.compactMap { level in
        array(level, node, walk, &inspector, &verdict).map { LevelArray(level: level, array: $0) }
      }
      inspector.levels(levels, of: entry)
      if isLabel || node.metadata.keys["image-label"] != nil {
        inspector.label(levels, of: entry, image: image)
      }
      systems(entry.foreign, node, walk, &inspector, &verdict)
      first = first ?? ImageShape(entry, levels)
    }
    if let first { inspector.channels(facts.channels, first, node.metadata.keys["omero"]) }
    return first
  }

  /// Reads the array of a level; nil when there is none.
  private func array(
    _ level: MultiscaleFacts.Level, _ node: GroupNode, _ walk: Walk,
    _ inspector: inout Inspector, _ verdict: inout Verdict
  ) -> ArrayFacts? {
    guard let path = level.path else { return nil }
    let key = joinedKey(node.path, path)
    let before = verdict.findings.count(.error)
    guard case .array(let root, let format) = self.node(walk.store, key, &verdict) else {
      // A document that is there and broken has been noted.
      if verdict.findings.count(.error) == before {
        inspector.report(.arrayPresent, level.spot, "there is no array at `\(path)`")
      }
      return nil
    }
    verdict.arrays += 1
    if format != node.zarrFormat {
      inspector.report(
        .versionFormat, level.spot,
        "the array of `\(path)` is Zarr v\(format), its group Zarr v\(node.zarrFormat)")
    }
    var own = self.inspector(
      joinedKey(key, format == 3 ? "zarr.json" : ".zarray"), inspector.version, .hierarchy)
    let facts = own.array(root, zarrFormat: format)
    verdict.add(own.findings)
    if inspector.version == .v0_3 { attribute(level, key, walk, &inspector, &verdict) }
    return facts
  }

  /// Notes levels of 0.3 that do not repeat the axes.
  private func attribute(
    _ level: MultiscaleFacts.Level, _ key: String, _ walk: Walk, _ inspector: inout Inspector,
    _ verdict: inout Verdict
  ) {
    let attributes = document(walk.store, joinedKey(key, ".zattrs"), &verdict)
    if attributes?["_ARRAY_DIMENSIONS"] == nil {
      inspector.report(
        .arrayNamesV2, level.spot, "the array of `\(level.path ?? "")` has no `_ARRAY_DIMENSIONS`",
        isMissing: true)
    }
  }

  /// Looks for coordinate systems that a document names in other groups.
  func systems(
    _ references: [SystemReference], _ node: GroupNode, _ walk: Walk,
    _ inspector: inout Inspector, _ verdict: inout Verdict
  ) {
    for reference in references {
      let spot = Spot(.string(reference.name), reference.pointer)
      guard case .inside(let key) = Destination(reference.path, from: node.path) else {
        inspector.report(
          .referencePresent, spot, "the path \"\(reference.path)\" leads out of the root")
        continue
      }
      var unused = Verdict(isStrict: options.isStrict)
      var names: Set<String> = []
      if case .group(let other) = self.node(walk.store, key, &unused) {
        var copy = self.inspector(other.file, other.metadata.version, .hierarchy)
        names = copy.document(other.metadata).images.reduce(into: []) {
          $0.formUnion($1.systems)
        }
      }
      if !names.contains(reference.name) {
        inspector.report(
          .referencePresent, spot,
          "the image at \"\(reference.path)\" has no coordinate system \"\(reference.name)\"")
      }
    }
  }

  /// Judges the images of a scene.
  private func scene(
    _ references: [SystemReference], _ node: GroupNode, _ walk: Walk, _ verdict: inout Verdict
  ) {
    var inspector = self.inspector(node.file, node.metadata.version, .hierarchy)
    systems(references, node, walk, &inspector, &verdict)
    verdict.add(inspector.findings)
    var seen: Set<String> = []
    for reference in references {
      guard case .inside(let key) = Destination(reference.path, from: node.path),
        seen.insert(key).inserted, key != node.path,
        case .group(let image) = self.node(walk.store, key, &verdict)
      else { continue }
      // A scene inside a scene is judged by itself only when it is an image.
      if image.metadata.keys["scene"] == nil { _ = group(image, walk, &verdict) }
    }
  }
}

extension Inspector {
  /// Compares a group with the root of its hierarchy.
  mutating func compare(_ metadata: OMEMetadata, with root: OMEMetadata?) {
    guard let root else { return }
    if let format = metadata.zarrFormat, let other = root.zarrFormat, format != other {
      report(.versionFormat, metadata.keys, "this is Zarr v\(format), the root Zarr v\(other)")
    }
    guard let spot = metadata.versionSpot, let text = metadata.writtenVersion,
      let expected = root.writtenVersion, text != expected
    else { return }
    report(.versionConsistent, spot, "the version is \"\(text)\", that of the root \"\(expected)\"")
  }
}
