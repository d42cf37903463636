import OMJSON
import OMStore

/// The images of a bioformats2raw group in their order: as `OME` lists them, else by their numbers.
struct SeriesList {
  /// The paths of the images below the group; in place of a bad one what is wrong with it.
  let paths: [Result<String, Fault>]

  /// Finds the images.
  ///
  /// - Throws: `unsupported` for another layout than 3, `metadata` where the images cannot be told or
  ///   the XML has another number of them, and what reading gives.
  init(_ group: OMEGroup, _ location: ImageLocation) throws(Fault) {
    let layout = try group.keys.required("bioformats2raw.layout", .integer, in: group.subject)
    if layout != 3 {
      throw Fault(
        .unsupported, group.subject, "`bioformats2raw.layout` is \(layout), only 3 is OME-Zarr")
    }
    let folder = joinedKey(location.path, "OME")
    let xml = joinedKey(folder, "METADATA.ome.xml")
    let told = try Self.imageCount(xml, location)
    let list = try OMEGroup.read(location.store, path: folder)
    if let list, let named = try list.keys.optional("series", .strings, in: list.subject) {
      paths = named.map { path in
        Result { () throws(Fault) in try checkedKey(path, subject: list.subject) }
      }
    } else {
      paths = try Self.numbered(group, location, told: told).map { .success($0) }
    }
    guard let told, told != paths.count else { return }
    // The n-th image of the XML is the n-th series; another number of them means that one is wrong.
    throw Fault(
      .metadata, xml, "has \(told) images, there are \(paths.count) series",
      hint: "give the images one by one, as in `\(location.displayName)/0`")
  }

  /// The groups that count from 0; a gap may hide images, so none is left out in silence.
  private static func numbered(
    _ group: OMEGroup, _ location: ImageLocation, told: Int?
  ) throws(Fault) -> [String] {
    if location.store.isRemote { return try asked(location, told: told) }
    let numbers = try location.store.list(location.path).compactMap { name in
      name.utf8.allSatisfy { 48...57 ~= $0 } ? Int(name) : nil
    }.sorted()
    if numbers.isEmpty || numbers != Array(0..<numbers.count) {
      let found =
        numbers.isEmpty ? "none" : numbers.prefix(8).map(String.init).joined(separator: ", ")
      throw Fault(
        .metadata, group.subject,
        "`OME` lists no `series`, and the images are \(found), expected 0, 1, 2 …",
        hint: "give the images one by one, as in `\(location.displayName)/0`")
    }
    return numbers.map(String.init)
  }

  /// The groups that count from 0 on a server, which need not list them; the XML tells whether these are all.
  private static func asked(
    _ location: ImageLocation, told: Int?
  ) throws(Fault) -> [String] {
    var names: [String] = []
    while names.count <= told ?? mostAsked,
      try OMEGroup.read(location.store, path: joinedKey(location.path, "\(names.count)")) != nil
    { names.append("\(names.count)") }
    if told == nil && names.count > mostAsked {
      throw Fault(
        .limit, location.path,
        "more than \(mostAsked) images without a list of them, expected `series` in `OME`")
    }
    return names
  }

  /// How many images a server is asked for when nothing tells their number.
  private static let mostAsked = 10_000

  /// How many images the XML has; nil when there is none that is worth reading.
  private static func imageCount(_ key: String, _ location: ImageLocation) throws(Fault) -> Int? {
    do {
      return try location.store.get(key, limit: largestOMEXML).map(imageElements)
    } catch {
      // A larger one is no mistake, and not worth the memory.
      if error.kind == .limit { return nil }
      throw error
    }
  }
}

/// Bytes of OME-XML that are looked through.
package let largestOMEXML = 128 << 20

/// How many elements `Image` an XML document opens, with or without a prefix; comments do not count.
package func imageElements(_ bytes: [UInt8]) -> Int {
  var count = 0
  var rest = bytes[...]
  while let start = rest.firstIndex(of: UInt8(ascii: "<")) {
    rest = rest[(start + 1)...]
    let skipped = [("!--", "-->"), ("![CDATA[", "]]>")].first { rest.starts(with: $0.0.utf8) }
    if let skipped {
      guard let end = rest.firstRange(of: Array(skipped.1.utf8)) else { return count }
      rest = rest[end.upperBound...]
      continue
    }
    let name = rest.prefix { $0 > 32 && $0 != UInt8(ascii: ">") && $0 != UInt8(ascii: "/") }
    let local = name.split(separator: UInt8(ascii: ":")).last ?? []
    if local.elementsEqual("Image".utf8) { count += 1 }
  }
  return count
}
