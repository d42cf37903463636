import OMImage
import OMJSON
import OMStore

extension Validator {
  /// Judges the images of a bioformats2raw group.
  func series(_ node: GroupNode, _ walk: Walk, _ verdict: inout Verdict) {
    var inspector = self.inspector(node.file, node.version(in: walk), .hierarchy)
    let layout = node.metadata.keys["bioformats2raw.layout"] ?? node.metadata.keys
    let folder = joinedKey(node.path, "OME")
    var paths: [(path: String, spot: Spot)]?
    if case .group(let ome) = self.node(walk.store, folder, &verdict) {
      var own = self.inspector(ome.file, ome.version(in: walk), .hierarchy)
      paths = own.document(ome.metadata).series
      own.compare(ome.metadata, with: walk.root)
      for (path, spot) in paths ?? [] where !isImage(joinedKey(node.path, path), walk) {
        own.report(.seriesPresent, spot, "there is no image at `\(path)`")
      }
      verdict.add(own.findings)
    }
    if paths == nil { paths = numbered(node, layout, walk, &inspector, &verdict) }
    xml(
      joinedKey(folder, "METADATA.ome.xml"), paths?.count ?? 0, layout, walk, &inspector, &verdict)
    verdict.add(inspector.findings)
    let keys = Array(Set((paths ?? []).map { joinedKey(node.path, $0.path) })).sorted()
    let parts = each(keys.count) { worker, place in
      var verdict = Verdict(isStrict: worker.options.isStrict)
      _ = worker.image(keys[place], walk, &verdict)
      return verdict
    }
    for part in parts { verdict.add(part) }
  }

  private func isImage(_ key: String, _ walk: Walk) -> Bool {
    var unused = Verdict(isStrict: options.isStrict)
    guard case .group(let group) = node(walk.store, key, &unused) else { return false }
    return group.metadata.keys["multiscales"] != nil
  }

  /// The images of a group without `series`, which count from 0.
  private func numbered(
    _ node: GroupNode, _ layout: Spot, _ walk: Walk, _ inspector: inout Inspector,
    _ verdict: inout Verdict
  ) -> [(path: String, spot: Spot)] {
    var numbers = names(walk.store, node.path, &verdict).compactMap { name in
      name.utf8.allSatisfy { 48...57 ~= $0 } ? Int(name) : nil
    }.sorted()
    if !walk.store.canList {
      while isImage(joinedKey(node.path, "\(numbers.count)"), walk) {
        numbers.append(numbers.count)
      }
    }
    if numbers != Array(0..<numbers.count) || numbers.isEmpty {
      let text = numbers.prefix(8).map(String.init).joined(separator: ", ")
      inspector.report(
        .seriesNumbered, layout,
        "there is no `series`, and the groups are \(text.isEmpty ? "none" : text), expected 0, 1, 2 …"
      )
    }
    for number in numbers where !isImage(joinedKey(node.path, "\(number)"), walk) {
      inspector.report(.seriesNumbered, layout, "the group \(number) is no image")
    }
    return numbers.map { ("\($0)", layout) }
  }

  /// Compares the number of images in the XML with that of the series.
  private func xml(
    _ key: String, _ count: Int, _ layout: Spot, _ walk: Walk, _ inspector: inout Inspector,
    _ verdict: inout Verdict
  ) {
    do {
      guard let bytes = try walk.store.get(key, limit: largestOMEXML) else {
        return inspector.report(.seriesXML, layout, "there is no `\(key)`", isMissing: true)
      }
      let images = imageElements(bytes)
      if images != count {
        inspector.report(
          .seriesXMLCount, layout, "`\(key)` has \(images) images, there are \(count) series")
      }
    } catch  where error.kind == .limit {
      // A larger one is no mistake, and not worth the memory.
    } catch {
      verdict.add(broken(error, rule: .documentReadable, file: key))
    }
  }
}
