import OMImage
import OMJSON
package import OMStore

extension Validator {
  /// Judges a folder: a group or array, or documents of RFC-8.
  ///
  /// - Parameters:
  ///   - store: The folder, or an archive, which is judged as such too.
  ///   - document: A document of RFC-8 in it; nil for the folder itself.
  ///   - key: The node in it to judge; empty for all.
  /// - Returns: The verdict; what cannot be read is part of it.
  package func validate(
    _ store: any Store, document: String? = nil, at key: String = ""
  ) -> Verdict {
    var verdict = Verdict(isStrict: options.isStrict)
    if let archive = store as? ZipStore { verdict.add(findings(archive)) }
    var places: [Place] = []
    if let document {
      places = [.json(document)]
    } else if !key.isEmpty {
      places = [.zarr(key)]
    } else {
      let documents =
        store.canList
        ? names(store, "", &verdict).filter { $0.hasSuffix(".json") }
        : ((try? store.stamp("collection.json")) ?? nil).map { _ in ["collection.json"] } ?? []
      var probe = Verdict(isStrict: options.isStrict)
      if case .absent = node(store, "", &probe) {
        if probe.findings.count(.error) > 0 {
          verdict.add(probe.findings)
          return verdict
        }
        places = documents.filter { holdsNodes(store, $0) }.map { .json($0) }
      } else {
        places = [.zarr("")]
        if documents.contains("collection.json") { places.append(.json("collection.json")) }
      }
    }
    if places.isEmpty {
      var inspector = self.inspector("", .v0_5, .hierarchy)
      inspector.report(
        .documentKind, Spot(.null), "there is no group, array or collection here", isMissing: true)
      verdict.add(inspector.findings)
    }
    follow(places, store, &verdict)
    if let archive = store as? ZipStore, key.isEmpty, document == nil {
      verdict.add(findings(archive, root: verdict.writtenVersion))
    }
    return verdict
  }

  private func holdsNodes(_ store: any Store, _ key: String) -> Bool {
    guard let bytes = try? store.get(key, limit: JSON.maximumBytes) else { return true }
    guard let root = try? JSON(parsing: bytes, subject: key) else { return true }
    return root["ome"] != nil
  }
}

/// A document that a collection may lead to.
enum Place: Hashable, Sendable {
  /// A group or array.
  case zarr(String)
  /// A document of RFC-8.
  case json(String)

  /// The groups on the way to it.
  var depth: Int {
    switch self {
    case .zarr(let key), .json(let key): key.utf8.count { $0 == UInt8(ascii: "/") }
    }
  }

  /// Whether it lies in a group that is a place, too; the root does not count.
  func lies(below places: [Place: String?]) -> Bool {
    guard case .zarr(var key) = self else { return false }
    while let slash = key.lastIndex(of: "/") {
      key = String(key[..<slash])
      if places[.zarr(key)] != nil { return true }
    }
    return false
  }
}

/// A path of a node that was followed.
struct Link: Sendable {
  let from: Place
  let to: Place
  /// The document that has the path.
  let file: String
  let target: CollectionFacts.Target
}

/// What was found at a place.
struct Stop: Sendable {
  var verdict: Verdict
  /// The type of node that it is; nil when nothing is there.
  var type: String?
  var links: [Link] = []
}

extension Validator {
  /// Judges places and all that they lead to, round by round.
  ///
  /// What may lie in an image or a plate that is judged as a whole comes last, so that it is judged once.
  private func follow(_ start: [Place], _ store: any Store, _ verdict: inout Verdict) {
    var round = start
    var later: [Place] = []
    var types: [Place: String?] = [:]
    var links: [Link] = []
    var isFirst = true
    while !round.isEmpty {
      for place in round { types[place] = .some(nil) }
      let (current, first, judged) = (round, isFirst, verdict.judged)
      let stops = each(current.count) { worker, place in
        worker.stop(current[place], store, isRoot: first, judged: judged)
      }
      round = []
      for (place, stop) in zip(current, stops) {
        if isFirst && verdict.kind == nil {
          verdict.kind = stop.verdict.kind
          verdict.version = stop.verdict.version
          verdict.writtenVersion = stop.verdict.writtenVersion
        }
        verdict.add(stop.verdict)
        types[place] = .some(stop.type)
        links += stop.links
        for link in stop.links where types[link.to] == nil {
          types[link.to] = .some(nil)
          if link.target.isLabel { later.append(link.to) } else { round.append(link.to) }
        }
      }
      later += round.filter { $0.lies(below: types) }
      round.removeAll { $0.lies(below: types) }
      if round.isEmpty, let least = later.map(\.depth).min() {
        round = later.filter { $0.depth == least }
        later.removeAll { $0.depth == least }
      }
      isFirst = false
    }
    compareTypes(links, types, &verdict)
    circles(links, &verdict)
  }

  /// Judges one place, unless it was judged on the way.
  private func stop(
    _ place: Place, _ store: any Store, isRoot: Bool, judged: Set<String>
  ) -> Stop {
    var stop = Stop(verdict: Verdict(isStrict: options.isStrict))
    switch place {
    case .zarr(let path) where judged.contains(path): stop.type = "multiscale"
    case .zarr(let path):
      switch node(store, path, &stop.verdict) {
      case .absent: break
      case .array(let root, let format):
        let file = joinedKey(path, format == 3 ? "zarr.json" : ".zarray")
        var inspector = self.inspector(file, format == 3 ? .v0_5 : .v0_4, .hierarchy)
        _ = inspector.array(root, zarrFormat: format)
        stop.verdict.arrays += 1
        if isRoot { stop.verdict.kind = "array" }
        stop.verdict.add(inspector.findings)
        stop.type = "singlescale"
      case .group(let group):
        let facts = self.group(group, Walk(store: store), &stop.verdict)
        // Whether a node may lead to a group of something else is a matter of its path.
        if !facts.metadata.holdsAnything && isRoot {
          var inspector = self.inspector(group.file, group.metadata.version, .hierarchy)
          inspector.report(
            .documentKind, group.metadata.keys, "there is nothing of OME-Zarr here",
            isMissing: true)
          stop.verdict.add(inspector.findings)
        }
        stop.type =
          facts.collection?.type
          ?? (!facts.images.isEmpty
            ? "multiscale" : facts.metadata.holdsAnything ? "collection" : "group of other things")
        links(facts.collection, place, path, group.file, &stop)
      }
    case .json(let key):
      guard let root = document(store, key, &stop.verdict) else { return stop }
      var inspector = self.inspector(key, .collection, .hierarchy)
      guard let ome = root["ome"], ome.value.objectValue != nil else {
        inspector.report(.documentKind, root, "there is no object `ome`", isMissing: true)
        stop.verdict.add(inspector.findings)
        return stop
      }
      let facts = inspector.collection(ome)
      stop.type = facts.type
      stop.verdict.kind = facts.type
      stop.verdict.version = .collection
      stop.verdict.writtenVersion = facts.version
      stop.verdict.add(inspector.findings)
      let folder = key.split(separator: "/").dropLast().joined(separator: "/")
      links(facts, place, folder, key, &stop)
    }
    return stop
  }

  /// Finds where the nodes of a document lie.
  private func links(
    _ facts: CollectionFacts?, _ place: Place, _ folder: String, _ file: String,
    _ stop: inout Stop
  ) {
    var inspector = self.inspector(file, .collection, .hierarchy)
    for target in facts?.targets ?? [] {
      switch Destination(target.path, from: folder) {
      case .outside:
        inspector.report(.nodePathOutside, target.spot, "the path is \"\(target.path)\"")
      case .remote:
        inspector.report(.nodePathRemote, target.spot, "the path is \"\(target.path)\"")
      case .inside(let key):
        let isJSON = target.kind.map { $0 == "json" } ?? key.hasSuffix(".json")
        stop.links.append(
          Link(from: place, to: isJSON ? .json(key) : .zarr(key), file: file, target: target))
      }
    }
    stop.verdict.add(inspector.findings)
  }

  private func compareTypes(
    _ links: [Link], _ types: [Place: String?], _ verdict: inout Verdict
  ) {
    for link in links {
      var inspector = self.inspector(link.file, .collection, .hierarchy)
      let target = link.target
      if let type = types[link.to] ?? nil {
        if type != target.type {
          inspector.report(
            .nodePathKind, target.spot, "the path leads to a \(type), the node is a \(target.type)")
        }
      } else {
        inspector.report(
          .nodePathPresent, target.spot, "there is nothing at \"\(target.path)\" to check")
      }
      verdict.add(inspector.findings)
    }
  }

  /// Notes links that lead back to where they come from.
  private func circles(_ links: [Link], _ verdict: inout Verdict) {
    let ways = Dictionary(grouping: links, by: \.from)
    var done: Set<Place> = []
    for start in links.map(\.from) where !done.contains(start) {
      var way: [(place: Place, next: Int)] = [(start, 0)]
      var onWay: Set = [start]
      while let last = way.last {
        let next = ways[last.place] ?? []
        guard last.next < next.count else {
          way.removeLast()
          onWay.remove(last.place)
          done.insert(last.place)
          continue
        }
        way[way.count - 1].next += 1
        let link = next[last.next]
        if onWay.contains(link.to) {
          var inspector = self.inspector(link.file, .collection, .hierarchy)
          inspector.report(
            .nodeCycle, link.target.spot, "the path \"\(link.target.path)\" leads back to itself")
          verdict.add(inspector.findings)
        } else if !done.contains(link.to) {
          onWay.insert(link.to)
          way.append((link.to, 0))
        }
      }
    }
  }
}
