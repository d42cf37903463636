package import OMJSON
import OMStore

/// What a URI holds, as a list of images.
package struct ImageSource: Sendable {
  /// What the URI names.
  package enum Kind: String, Sendable {
    case image, well, plate, collection, scene
    case series = "bioformats2raw"

    /// How messages call it.
    package var noun: String { self == .series ? "bioformats2raw group" : rawValue }
  }

  /// An image, or a part of a plate that cannot be used.
  package struct Item: Sendable {
    /// Where the image is, or the part that holds it.
    package let location: ImageLocation
    /// Why there is no image; nil when its metadata can be read.
    package let fault: Fault?
  }

  /// What the URI names.
  package let kind: Kind
  /// The key of what the URI names in its store.
  package let path: String
  /// The images in the order of the metadata; a broken well or image is an item with a fault, so
  /// that the others can be processed.
  package private(set) var items: [Item]
  /// What is odd about plate and wells but can be read.
  package private(set) var warnings: [String]
  /// The label images that a collection names beside the images.
  package private(set) var labelCount = 0
  /// The scene, when it is one; its images are looked at one by one, so there are no items.
  package private(set) var scene: SceneGroup?

  /// Finds the images of a URI.
  ///
  /// - Parameters:
  ///   - uri: The path of a folder or archive, a path into one, or the URL of one on a server: an
  ///     image, a well, a plate, a group of bioformats2raw or a collection, which may be a JSON file.
  ///   - filter: Which wells and acquisitions are wanted; an image given by itself always is.
  ///   - followLinks: Whether links may leave the hierarchy.
  ///   - mayBeEmpty: Whether a collection without images, or a scene, is an answer.
  /// - Returns: At least one item, but for that.
  /// - Throws: `missing`, `metadata`, `unsupported`, `path` or `permission` when the URI holds
  ///   nothing that can be used; `usage` when the filter leaves nothing.
  package static func open(
    _ uri: String, filter: WellFilter, followLinks: Bool = false, mayBeEmpty: Bool = false
  ) throws(Fault) -> ImageSource {
    let (root, file) = try HierarchyRoot.opening(uri, followLinks: followLinks)
    let location = ImageLocation(store: root.store, path: root.path)
    var source =
      if let file {
        try location.naming { () throws(Fault) in
          try collection(file, in: location, filter, followLinks)
            .filled(location, filter, mayBeEmpty: mayBeEmpty)
        }
      } else {
        try open(location, filter: filter, followLinks: followLinks, mayBeEmpty: mayBeEmpty)
      }
    if let archive = root.store as? ZipStore, archive.deflatedCount > 0 {
      source.warnings.append(
        "\(archive.deflatedCount) of \(archive.count) entries of \(archive.root) are deflated, which "
          + "is slow; `omtask unpack` and `pack` store them as RFC-9 wants")
    }
    if let tiff = root.store as? TiffStore { source.warnings += tiff.warnings }
    return source
  }

  /// Finds the images below a group.
  package static func open(
    _ location: ImageLocation, filter: WellFilter, followLinks: Bool = false,
    mayBeEmpty: Bool = false
  ) throws(Fault) -> ImageSource {
    var source: ImageSource
    do throws(Fault) {
      let group = try OMEGroup.read(location.store, path: location.path)
      guard let group, let kind = try kind(of: group) else {
        return try without(kindOf: group, location, filter, followLinks)
          .filled(location, filter, mayBeEmpty: mayBeEmpty)
      }
      source =
        if kind == .collection {
          ImageSource(kind: kind, path: location.path, items: [], warnings: group.warnings)
        } else {
          try contents(of: group, kind, at: location, filter)
        }
      if kind == .collection {
        source.add(
          CollectionWalk(
            CollectionDocument(group, in: location.store), filter, followLinks: followLinks))
      }
      return try source.filled(location, filter, mayBeEmpty: mayBeEmpty)
    } catch { throw location.naming(error) }
  }

  /// The images of a group that is an image, a well, a plate or one of bioformats2raw; perhaps none
  /// that the filter leaves.
  static func contents(
    of group: OMEGroup, _ kind: Kind, at location: ImageLocation, _ filter: WellFilter
  ) throws(Fault) -> ImageSource {
    var source = ImageSource(
      kind: kind, path: location.path, items: [], warnings: group.warnings)
    switch kind {
    case .image, .collection, .scene: source.items = [Item(location: location, fault: nil)]
    case .well: try source.addWell(group, nil, location, filter)
    case .plate: try source.addPlate(group, location, filter)
    case .series: try source.addSeries(group, location)
    }
    return source
  }

  /// Finds the images of a collection in a JSON file.
  private static func collection(
    _ file: String, in location: ImageLocation, _ filter: WellFilter, _ followLinks: Bool
  ) throws(Fault) -> ImageSource {
    let key = joinedKey(location.path, file)
    guard let document = try CollectionDocument(file: key, in: location.store) else {
      if file == CollectionDocument.fileName {
        throw nothing(try OMEGroup.read(location.store, path: location.path), location)
      }
      throw Fault(.missing, key, "there is no such file")
    }
    return collection(document, at: key, filter, followLinks)
  }

  private static func collection(
    _ document: CollectionDocument, at key: String, _ filter: WellFilter, _ followLinks: Bool
  ) -> ImageSource {
    var source = ImageSource(kind: .collection, path: key, items: [], warnings: [])
    source.add(CollectionWalk(document, filter, followLinks: followLinks))
    return source
  }

  /// What a folder holds whose own metadata are none of images: a collection in a file, or a scene.
  private static func without(
    kindOf group: OMEGroup?, _ location: ImageLocation, _ filter: WellFilter, _ followLinks: Bool
  ) throws(Fault) -> ImageSource {
    let key = joinedKey(location.path, CollectionDocument.fileName)
    if let document = try CollectionDocument(file: key, in: location.store) {
      return collection(document, at: key, filter, followLinks)
    }
    guard let scene = group.flatMap({ SceneGroup($0, at: location) }) else {
      throw nothing(group, location)
    }
    var source = ImageSource(kind: .scene, path: location.path, items: [], warnings: scene.warnings)
    source.scene = scene
    return source
  }

  /// The source, when there is an image in it.
  private func filled(
    _ location: ImageLocation, _ filter: WellFilter, mayBeEmpty: Bool
  ) throws(Fault) -> ImageSource {
    if !items.isEmpty || mayBeEmpty && (kind == .collection || scene != nil) { return self }
    if let scene { throw scene.refusal }
    throw filter.shown.isEmpty
      ? Fault(.metadata, location.displayName, "there are no images")
      : Fault(.usage, location.displayName, "no image fits \(filter.shown)")
  }

  private mutating func add(_ walk: CollectionWalk) {
    items = walk.items
    labelCount = walk.labelCount
    warnings += walk.warnings
  }
}

// MARK: - Walking plates and wells

extension ImageSource {
  private mutating func addPlate(
    _ group: OMEGroup, _ location: ImageLocation, _ filter: WellFilter
  ) throws(Fault) {
    let wells = try Plate(group).wells.filter { well in
      if case .success(let entry) = well { filter.includes(entry) } else { true }
    }
    let groups = WellGroups(wells.compactMap { try? $0.get().path }, of: location)
    for well in wells {
      switch well {
      case .failure(let fault):
        items.append(Item(location: location, fault: location.naming(fault)))
      case .success(let entry): addWell(entry, of: location, filter, groups)
      }
    }
  }

  /// Adds the images of a well, or the well with its fault.
  private mutating func addWell(
    _ entry: Plate.WellEntry, of plate: ImageLocation, _ filter: WellFilter, _ groups: WellGroups
  ) {
    let place = ImageLocation(store: plate.store, path: joinedKey(plate.path, entry.path))
    do throws(Fault) {
      guard let group = try groups.read(entry.path) else {
        throw Fault(.missing, place.path, "the well is listed but there is no Zarr group")
      }
      warnings += group.warnings
      try addWell(group, entry, place, filter)
    } catch { items.append(Item(location: place, fault: place.naming(error))) }
  }

  private mutating func addWell(
    _ group: OMEGroup, _ entry: Plate.WellEntry?, _ place: ImageLocation, _ filter: WellFilter
  ) throws(Fault) {
    let names = place.displayName.split(separator: "/").suffix(2).map(String.init)
    for image in try Well(group).images {
      switch image {
      case .failure(let fault):
        items.append(Item(location: place, fault: place.naming(fault)))
      case .success(let image) where filter.includes(image):
        let field = ImageLocation.Field(
          row: entry?.row ?? names.first ?? "", column: entry?.column ?? names.last ?? "",
          name: image.path, acquisition: image.acquisition)
        let path = joinedKey(place.path, image.path)
        items.append(
          Item(location: ImageLocation(store: place.store, path: path, field: field), fault: nil))
      case .success: break
      }
    }
  }
}

// MARK: - Series

extension ImageSource {
  private mutating func addSeries(
    _ group: OMEGroup, _ location: ImageLocation
  ) throws(Fault) {
    var seen: Set<String> = []
    for path in try SeriesList(group, location).paths {
      switch path {
      case .failure(let fault):
        items.append(Item(location: location, fault: location.naming(fault)))
      case .success(let path) where seen.insert(path).inserted:
        let place = ImageLocation(
          store: location.store, path: joinedKey(location.path, path), isMember: true)
        items.append(Item(location: place, fault: nil))
      case .success: break
      }
    }
  }
}

// MARK: - What a group is

extension ImageSource {
  /// What a group is; nil when its metadata say nothing of it.
  static func kind(of group: OMEGroup) throws(Fault) -> Kind? {
    if group.keys["multiscales"] != nil { return .image }
    if group.keys["plate"] != nil { return .plate }
    if group.keys["well"] != nil { return .well }
    if group.keys["bioformats2raw.layout"] != nil { return .series }
    guard group.isNode else { return nil }
    let node = try CollectionNode(group.keys, subject: group.subject)
    return node.kind == .collection ? .collection : .image
  }

  /// Why a folder without a collection is nothing that can be used.
  private static func nothing(_ group: OMEGroup?, _ location: ImageLocation) -> Fault {
    let hint = childHint(location)
    if let group {
      return Fault(
        .metadata, group.subject, "this is no image, plate or well, `multiscales` is missing",
        hint: hint)
    }
    if location.store.isRemote {
      return Fault(
        .missing, location.path,
        "there is no OME-Zarr of this name: neither `zarr.json` nor `.zgroup` of a group",
        hint: hint)
    }
    return Fault(
      .metadata, location.path,
      "this is not an OME-Zarr image: neither `zarr.json` nor `.zgroup` of a group",
      hint: hint ?? tiffHint(location))
  }

  /// Says how TIFF files in the folder are named together.
  private static func tiffHint(_ location: ImageLocation) -> String? {
    let names = (try? location.store.list(location.path)) ?? []
    guard
      let name = names.first(where: { name in
        [".tif", ".tiff"].contains { name.lowercased().hasSuffix($0) }
      })
    else { return nil }
    return "TIFF files of one image are named by a pattern, such as "
      + "`\(joinedKey(location.displayName, "img_t{t}_c{c}.tif"))`; the first here is `\(name)`"
  }

  /// Names a folder directly below that is an image or a plate.
  private static func childHint(_ location: ImageLocation) -> String? {
    // A bucket may hold millions of names, and a server may need minutes to say nothing.
    if location.store.isRemote { return nil }
    let names = (try? location.store.list(location.path)) ?? []
    for name in names.prefix(100) {
      let path = joinedKey(location.path, name)
      guard let group = (try? OMEGroup.read(location.store, path: path)) ?? nil else { continue }
      if (try? kind(of: group)) ?? nil != nil {
        return "did you mean `\(joinedKey(location.displayName, name))`?"
      }
    }
    return nil
  }
}
