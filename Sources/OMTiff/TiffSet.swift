package import OMJSON
package import OMStore
import Synchronization

/// Images in TIFF files: those of one file, of the files that it names, or of files by a naming pattern.
package final class TiffSet: Sendable {
  /// How people name it: the path of the file, or the pattern.
  package let description: String
  /// The images, at least one.
  package let images: [TiffImage]
  /// What is odd but can be read.
  package let warnings: [String]
  /// The files that are not there, as far as they are named.
  package let missing: [String]
  let files: TiffFiles
  let pool = TiffPool()
  /// The pages that every file of a pattern has; nil for other sets.
  let pagesEach: Int?

  private init(
    _ description: String, _ files: TiffFiles, _ images: [TiffImage], missing: [String] = [],
    pagesEach: Int? = nil
  ) {
    self.pagesEach = pagesEach
    self.description = description
    self.files = files
    self.images = images
    self.missing = missing
    let notes = Set(images.compactMap(\.page.note)).sorted().map { "\(description): \($0)" }
    warnings = notes
  }

  /// Whether a file looks like a TIFF: by its first bytes, or by its name when it has none.
  package static func isTiff(_ path: String) -> Bool {
    let start = LocalPlace.beginning(of: path)
    let marks: [[UInt8]] = [
      [0x49, 0x49, 42, 0], [0x4D, 0x4D, 0, 42], [0x49, 0x49, 43, 0], [0x4D, 0x4D, 0, 43],
    ]
    if marks.contains(start) { return true }
    let name = path.lowercased()
    return [".tif", ".tiff", ".tf2", ".tf8", ".btf"].contains { name.hasSuffix($0) }
  }

  /// Opens a file.
  ///
  /// - Parameters:
  ///   - path: Its path.
  ///   - followLinks: Whether links may leave its folder.
  /// - Throws: What is wrong with it, with the path as subject.
  package convenience init(path: String, followLinks: Bool) throws(Fault) {
    let (folder, name) = TiffSet.parts(of: path)
    try self.init(try FileStore(root: folder, followLinks: followLinks), key: name)
  }

  /// Opens a file of a store; files that it names lie beside it.
  package convenience init(_ store: any Store, key name: String) throws(Fault) {
    let description = OMTiff.path(below: store.description, name)
    do throws(Fault) {
      guard let file = try TiffFile(store, name) else {
        throw Fault(.missing, "", "there is no such file")
      }
      let files = TiffFiles(store, [file])
      self.init(description, files, try TiffSet.images(files))
    } catch { throw TiffSet.naming(error, description) }
  }

  /// Opens the files that a pattern names.
  ///
  /// - Parameters:
  ///   - pattern: The path with `{t}`, `{c}` or `{z}` in it.
  ///   - followLinks: Whether links may leave the folder.
  /// - Throws: What is wrong with them, with the pattern as subject.
  package convenience init(pattern: TiffPattern, followLinks: Bool) throws(Fault) {
    let store = try FileStore(root: pattern.folder, followLinks: followLinks)
    let description = OMTiff.path(below: store.description, pattern.text)
    do throws(Fault) {
      let found = try PatternFiles(pattern, store)
      let files = TiffFiles(store, found.files)
      let each = try TiffSet.images(files)
      guard files.count == found.files.count, each.count == 1, let first = each.first else {
        throw Fault(
          .unsupported, "",
          "`\(found.files[0].key)` holds \(each.count == 1 ? "planes of other files" : "\(each.count) images"), "
            + "files of a pattern hold one each", hint: "open the file by itself")
      }
      self.init(
        description, files, [try found.image(of: first)], missing: found.missing,
        pagesEach: try files.content(0).places.count)
    } catch { throw TiffSet.naming(error, description) }
  }

  /// The folder and the name of a path.
  static func parts(of path: String) -> (folder: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let folder = String(path[..<slash])
    return (folder.isEmpty ? "/" : folder, String(path[path.index(after: slash)...]))
  }

  static func naming(_ fault: Fault, _ subject: String) -> Fault {
    if !fault.subject.isEmpty && fault.subject.hasPrefix("/") { return fault }
    var named = fault
    named.subject = subject
    return named
  }

  /// Size and time of all files, to tell one set from another.
  package func stamps() -> [ValueStamp] {
    (0..<files.count).map { files.file($0).stamp }
  }

  /// Whether a path without links is one of the files.
  package func holds(_ path: String) -> Bool {
    (0..<files.count).contains { number in
      let file = files.file(number)
      return (file.store as? FileStore)?.resolved(file.key) == path
    }
  }

  /// The stamp of the file that holds a plane; nil when there is none.
  package func stamp(_ image: Int, t: Int, c: Int, z: Int) -> ValueStamp? {
    let place = images[image].place(t: t, c: c, z: z)
    return place.file < 0 ? nil : files.file(Int(place.file)).stamp
  }
}

// MARK: - What a file holds

extension TiffSet {
  /// The images of the first of some files; they may lie in others beside it.
  private static func images(_ files: TiffFiles) throws(Fault) -> [TiffImage] {
    let content = try files.content(0)
    if OMEXML.isOne(content.description) { return try omeImages(content.description, files) }
    if content.foreign != 0 {
      throw Fault(
        .unsupported, "",
        "is \(formats[content.foreign] ?? "a format of its own (tag \(content.foreign))"), whose "
          + "pages cannot be told apart without knowing it",
        hint: "convert it with bioformats2raw, or save it as OME-TIFF in Fiji")
    }
    if let text = ImageJText(content.description) { return [try text.image(content)] }
    return [try PlainPages.image(content)]
  }

  private static let formats: [Int: String] = [
    33628: "a MetaMorph stack", 33629: "a MetaMorph stack", 34361: "a FluoView image",
    34412: "a Zeiss LSM image", 34118: "an image of a Zeiss electron microscope",
    34680: "an FEI image", 34682: "an FEI image",
  ]

  private static func omeImages(
    _ description: [UInt8], _ files: TiffFiles
  ) throws(Fault) -> [TiffImage] {
    var xml = try OMEXML(description)
    if let name = xml.elsewhere {
      let identity = xml.identity
      xml = try OMEXML(try files.metadata(name))
      if xml.elsewhere != nil {
        throw Fault(.metadata, "", "the metadata of `\(escaped(name))` lie in another file again")
      }
      // Blocks without a file would be about the other one.
      if xml.images.contains(where: { $0.data.contains { $0.file == nil } }) {
        throw Fault(
          .unsupported, "", "its planes are listed in `\(escaped(name))`, which names no files",
          hint: "open `\(escaped(name))`")
      }
      return try resolved(xml, files, identity)
    }
    return try resolved(xml, files, xml.identity)
  }

  private static func resolved(
    _ xml: OMEXML, _ files: TiffFiles, _ identity: String?
  ) throws(Fault) -> [TiffImage] {
    if xml.images.isEmpty { throw Fault(.metadata, "", "there is no `Image` in its OME-XML") }
    let planes = OMEPlanes(files: files, identity: identity)
    var images: [TiffImage] = []
    var count = 0
    for (number, image) in xml.images.enumerated() {
      do throws(Fault) {
        let made = try planes.image(image)
        count += made.planes.count
        guard count <= TiffImage.mostPlanes else {
          throw Fault(
            .limit, "", "the images have more than \(TiffImage.mostPlanes) planes together")
        }
        images.append(made)
      } catch {
        throw xml.images.count == 1
          ? error : Fault(error.kind, "", "image \(number): \(error.message)", hint: error.hint)
      }
    }
    return images
  }
}

extension TiffFiles {
  /// The OME-XML of another file: of a TIFF its description, else all of it.
  fileprivate func metadata(_ name: String) throws(Fault) -> [UInt8] {
    guard let number = try number(of: name) else {
      throw Fault(
        .missing, "", "its metadata lie in `\(escaped(name))`, which is not there",
        hint: "keep the files of a set together")
    }
    let name = name.lowercased()
    if name.hasSuffix(".tif") || name.hasSuffix(".tiff") {
      let file = file(number)
      do throws(Fault) { return try file.text() } catch { throw naming(error, file) }
    }
    let file = file(number)
    return try file.store.get(file.key, limit: OMEXML.largest) ?? []
  }
}
