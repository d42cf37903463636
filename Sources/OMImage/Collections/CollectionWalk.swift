import OMJSON
import OMStore

/// Follows the nodes of RFC-8 collections to the images they lead to.
///
/// Every document and every image is taken once, so that a circle ends and what many name is not many.
struct CollectionWalk {
  /// The images, and nodes that cannot be followed.
  private(set) var items: [ImageSource.Item] = []
  /// Nodes that are label images.
  private(set) var labelCount = 0
  /// What is odd but can be read.
  private(set) var warnings: [String] = []
  private let filter: WellFilter
  private let followLinks: Bool
  private var seen: Set<String> = []
  private var nodeCount = 0
  private var outside: OutsidePlaces

  /// What the collections around a node say about it.
  private struct Surroundings {
    /// The documents on the way.
    var chain: [String] = []
    /// Names by the ids that a plate gives rows and columns, and the order of its acquisitions.
    var rows: [String: String] = [:]
    var columns: [String: String] = [:]
    var acquisitions: [String] = []
    /// The well.
    var row: String?
    var column: String?
    var acquisition: Int?
  }

  /// How many documents one may lie in the other.
  static let deepest = 32
  /// How many nodes are looked at.
  static let mostNodes = 10_000_000

  /// Walks through a collection.
  ///
  /// - Parameters:
  ///   - document: The document that holds it.
  ///   - filter: Which wells and acquisitions are wanted.
  ///   - followLinks: Whether paths may leave the hierarchy.
  init(_ document: CollectionDocument, _ filter: WellFilter, followLinks: Bool) {
    self.filter = filter
    self.followLinks = followLinks
    outside = OutsidePlaces()
    seen.insert(document.identity)
    var surroundings = Surroundings()
    surroundings.chain = [document.identity]
    walk(document.root, in: document, surroundings)
    if outside.count > 0 {
      warnings.append(
        "\(document.subject) leads to \(outside.count) places outside of \(document.store.description)"
      )
    }
  }

  /// Takes a node; one that cannot be followed becomes an item with its fault.
  private mutating func walk(
    _ json: JSONObject, in document: CollectionDocument, _ around: Surroundings
  ) {
    nodeCount += 1
    if nodeCount > Self.mostNodes { return }
    do throws(Fault) {
      if nodeCount == Self.mostNodes {
        throw Fault(
          .limit, document.subject, "the collection has more than \(Self.mostNodes) nodes")
      }
      let node = try CollectionNode(json, subject: document.subject)
      let around = Self.inside(node, around)
      switch node.kind {
      case .collection:
        for child in node.nodes ?? [] { walk(child, in: document, around) }
        if let target = node.target { try follow(target, of: node, from: document, around) }
      case .multiscale where node.isLabel: count(node, in: document)
      case .multiscale:
        guard let target = node.target else { throw inlined(node, document) }
        try image(target, of: node, from: document, around)
      // A level is part of an image, and what has another type means something to others.
      case .singlescale, .other: break
      }
    } catch {
      let place = ImageLocation(store: document.store, path: document.folder)
      items.append(.init(location: place, fault: place.naming(error)))
    }
  }

  /// Counts a label image, which several nodes may name; where it cannot be told, each is one.
  private mutating func count(_ node: CollectionNode, in document: CollectionDocument) {
    if let target = node.target,
      case .inside(let key) = Destination(target.path, from: document.folder),
      !seen.insert("label \(joinedKey(document.store.description, key))").inserted
    {
      return
    }
    labelCount += 1
  }

  private func inlined(_ node: CollectionNode, _ document: CollectionDocument) -> Fault {
    Fault(
      .unsupported, document.subject,
      "the levels of `\(node.name)` stand in the collection, the image has no group of its own",
      hint: "levels can be read one by one with `omtask cat`")
  }

  // MARK: - Places

  /// Adds an image.
  private mutating func image(
    _ target: CollectionNode.Target, of node: CollectionNode, from document: CollectionDocument,
    _ around: Surroundings
  ) throws(Fault) {
    if target.kind == "json" { throw inlined(node, document) }
    let (store, key) = try place(target, of: node, from: document)
    let field = around.row.flatMap { row in
      around.column.map {
        ImageLocation.Field(
          row: row, column: $0, name: node.name, acquisition: around.acquisition)
      }
    }
    if !filter.includes(field) { return }
    if !seen.insert(joinedKey(store.description, key)).inserted { return }
    items.append(
      .init(
        location: ImageLocation(store: store, path: key, field: field, isMember: true),
        fault: nil))
  }

  /// Walks through a collection in another document, or through a plate or other group of images.
  private mutating func follow(
    _ target: CollectionNode.Target, of node: CollectionNode, from document: CollectionDocument,
    _ around: Surroundings
  ) throws(Fault) {
    if around.chain.count >= Self.deepest {
      throw Fault(
        .metadata, document.subject,
        "more than \(Self.deepest) collections lie one in the other")
    }
    let (store, key) = try place(target, of: node, from: document)
    let absent = Fault(
      .missing, joinedKey(store.description, key),
      "`\(node.name)` of the collection \(document.subject) is not there")
    let next: CollectionDocument
    if target.kind == "json" {
      guard let file = try CollectionDocument(file: key, in: store) else { throw absent }
      next = file
    } else {
      guard let group = try OMEGroup.read(store, path: key) else { throw absent }
      switch try ImageSource.kind(of: group) {
      case .collection: next = CollectionDocument(group, in: store)
      case .some(let kind):
        let source = try ImageSource.contents(
          of: group, kind, at: ImageLocation(store: store, path: key), filter)
        warnings += source.warnings
        items += source.items.filter {
          $0.fault != nil || seen.insert($0.location.displayName).inserted
        }
        return
      case nil:
        let name = joinedKey(key, CollectionDocument.fileName)
        guard let file = try CollectionDocument(file: name, in: store) else {
          throw Fault(
            .metadata, joinedKey(store.description, key),
            "`\(node.name)` of the collection \(document.subject) holds no images")
        }
        next = file
      }
    }
    if around.chain.contains(next.identity) {
      throw Fault(
        .metadata, document.subject, "`\(node.name)` leads back to \(next.subject): a circle")
    }
    // What lies in two wells is looked at for each of them, since one may not be wanted.
    let well = "\(around.row ?? "") \(around.column ?? "") \(around.acquisition ?? -1)"
    if !seen.insert("\(next.identity) \(well)").inserted { return }
    var around = around
    around.chain.append(next.identity)
    walk(next.root, in: next, around)
  }

  /// The store and the key that a path leads to.
  private mutating func place(
    _ target: CollectionNode.Target, of node: CollectionNode, from document: CollectionDocument
  ) throws(Fault) -> (store: any Store, key: String) {
    if target.path.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
      throw Fault(.path, document.subject, "the path of `\(node.name)` has a control character")
    }
    switch Destination(target.path, from: document.folder) {
    case .inside(let key): return try real(key, of: node, target, in: document)
    case .remote:
      throw Fault(
        .path, document.subject,
        "`\(node.name)` leads to another machine, nothing is fetched because a document says so",
        hint: "give the image itself")
    case .outside:
      let folder = joinedKey(document.store.folder ?? "", document.folder)
      guard document.store.folder != nil, followLinks else {
        throw Fault(
          .path, document.subject,
          "`\(node.name)` leads out of \(document.store.description): `\(target.path)`",
          hint: document.store.folder == nil ? nil : "`--follow-links` allows that")
      }
      return try outside.place(target.path, from: folder, isFile: target.kind == "json")
    }
  }

  /// What a key is without links, so that an image is one whatever way leads to it.
  private mutating func real(
    _ key: String, of node: CollectionNode, _ target: CollectionNode.Target,
    in document: CollectionDocument
  ) throws(Fault) -> (store: any Store, key: String) {
    guard let store = document.store as? FileStore, let path = store.resolved(key) else {
      return (document.store, key)
    }
    if path == store.root { return (store, "") }
    if path.hasPrefix(store.root + "/") {
      return (store, String(path.dropFirst(store.root.count + 1)))
    }
    guard followLinks else {
      throw Fault(
        .path, document.subject, "`\(node.name)` is a link that leads out of \(store.root)",
        hint: "`--follow-links` allows that")
    }
    return try outside.place(path, from: "", isFile: target.kind == "json")
  }

  // MARK: - Plates

  /// What a node adds to what is known about those in it.
  private static func inside(_ node: CollectionNode, _ around: Surroundings) -> Surroundings {
    var around = around
    if let plate = node.attributes["plate"]?.objectValue {
      let names = { (key: String) in
        let lines = plate[key]?.arrayValue ?? []
        return lines.compactMap { line in
          line["id"]?.stringValue.map { ($0, line["name"]?.stringValue ?? $0) }
        }
      }
      around.rows = Dictionary(names("rows")) { first, _ in first }
      around.columns = Dictionary(names("columns")) { first, _ in first }
      around.acquisitions = names("acquisitions").map(\.0)
    }
    if let well = node.attributes["well"]?.objectValue {
      around.row = well["row"]?.referencedID.map { around.rows[$0] ?? $0 }
      around.column = well["column"]?.referencedID.map { around.columns[$0] ?? $0 }
    }
    if let id = node.attributes["acquisition"]?.referencedID {
      around.acquisition = around.acquisitions.firstIndex(of: id)
    }
    return around
  }
}
