import OMJSON

extension Validator {
  /// Judges one document without anything around it, as the published schemas do.
  ///
  /// - Parameters:
  ///   - bytes: The document: `.zattrs`, attributes with `ome`, `zarr.json`, `.zarray`, a collection, or a
  ///     part of one of these.
  ///   - name: What to call it.
  /// - Returns: The verdict.
  package func validate(document bytes: [UInt8], name: String) -> Verdict {
    var verdict = Verdict(isStrict: options.isStrict)
    verdict.documents = 1
    let root: JSON
    do {
      // Attributes may hold NaN and Infinity, as in a hierarchy.
      let isStored = [".zattrs", "zarr.json"].contains { name == $0 || name.hasSuffix("/" + $0) }
      root = try JSON(parsing: bytes, subject: name, lenient: isStored)
    } catch {
      verdict.add(broken(error, rule: .documentJSON, file: name, setting: .document))
      return verdict
    }
    judge(Spot(root), name, &verdict)
    return verdict
  }

  private func judge(_ root: Spot, _ name: String, _ verdict: inout Verdict) {
    let format = root["zarr_format"]?.value.wholeValue
    if root["zarr_format"] != nil, root["shape"] != nil || root["node_type"]?.value == "array" {
      return judgeArray(root, format, name, &verdict)
    }
    if root["zarr_format"] != nil {
      let pointer = JSONPointer().appending("attributes")
      let attributes = root["attributes"] ?? Spot(.object([:]), pointer)
      var inspector = self.inspector(name, .v0_5, .document)
      inspector.group(root, zarrFormat: format == 2 ? 2 : 3)
      verdict.add(inspector.findings)
      return judge(OMEMetadata(attributes, zarrFormat: 3), name, .document, &verdict)
    }
    if root["ome"] != nil {
      return judge(OMEMetadata(root, zarrFormat: 3), name, .document, &verdict)
    }
    if OMEMetadata.known.contains(where: { root[$0] != nil }) {
      return judge(OMEMetadata(root, zarrFormat: 2), name, .document, &verdict)
    }
    judgeFragment(root, name, &verdict)
  }

  private func judge(
    _ metadata: OMEMetadata, _ name: String, _ setting: Setting, _ verdict: inout Verdict
  ) {
    var inspector = self.inspector(name, metadata.version, setting)
    let facts = inspector.document(metadata)
    if !metadata.holdsAnything, metadata.keys.value.objectValue != nil {
      inspector.report(
        .documentKind, metadata.keys, "there is nothing of OME-Zarr here", isMissing: true)
    }
    verdict.note(facts, isRoot: true)
    verdict.add(inspector.findings)
  }

  private func judgeArray(
    _ root: Spot, _ format: Int?, _ name: String, _ verdict: inout Verdict
  ) {
    var inspector = self.inspector(name, format == 2 ? .v0_4 : .v0_5, .document)
    _ = inspector.array(root, zarrFormat: format == 2 ? 2 : 3)
    verdict.kind = "array"
    verdict.arrays = 1
    verdict.add(inspector.findings)
  }

  /// Judges the value of a member that examples print without what is around it.
  private func judgeFragment(_ root: Spot, _ name: String, _ verdict: inout Verdict) {
    let written = root["version"].flatMap(OMEMetadata.text).flatMap { WrittenVersion($0).version }
    let has = { (keys: [String]) in keys.allSatisfy { root[$0] != nil } }
    let isTransformation = root["type"] != nil && (has(["input"]) || has(["output"]))
    let isGraph =
      isTransformation
      || ["coordinateSystems", "coordinateTransformations"].contains { root[$0] != nil }
    let flat = has(["wells"]) && root["wells"]?.elements.first?["rowIndex"] == nil
    let version = written ?? (isGraph ? .v0_6 : flat ? .v0_3 : .v0_4)
    var inspector = self.inspector(name, version, .fragment)
    if isTransformation {
      for key in ["input", "output"] where root[key] != nil {
        _ = inspector.reference(key, in: root, .referenceShape, SystemFacts())
      }
      inspector.kind(root, input: nil)
    } else if isGraph {
      inspector.fragment(root)
    } else if has(["rows", "columns"]) || has(["wells"]) {
      _ = inspector.plate(root)
    } else if has(["channels"]) {
      inspector.omero(root)
    } else if has(["images"]) {
      _ = inspector.well(root)
    } else if has(["type", "name"]), root["nodes"] != nil || root["path"] != nil {
      inspector = self.inspector(name, .collection, .fragment)
      _ = inspector.collection(root)
    } else {
      inspector = self.inspector(name, version, .document)
      inspector.report(
        .documentKind, root, "there is nothing of OME-Zarr here", isMissing: true)
      verdict.add(inspector.findings)
      return
    }
    inspector.report(.documentFragment, root, "this is only a part of a document")
    verdict.kind = "part of a document"
    verdict.version = version
    verdict.add(inspector.findings)
  }
}
