import OMCodecs
package import OMGrid
package import OMImage
package import OMJSON
import OMStore
package import OMTiff
package import OMZarr

/// Writes a level of an image, or a part of it, as OME-TIFF (`omtask export`).
package struct TiffExport: Sendable {
  private let work: SeparateWork
  private let compression: WrittenTiff.Compression
  private let overwrites: Bool

  /// Makes a writer.
  ///
  /// - Parameters:
  ///   - work: How it works.
  ///   - compression: How tiles and strips are compressed.
  ///   - overwrites: Whether a file of this name is replaced.
  package init(_ work: SeparateWork, compression: WrittenTiff.Compression, overwrites: Bool) {
    self.work = work
    self.compression = compression
    self.overwrites = overwrites
  }

  /// What came of it.
  package struct Report: Sendable {
    /// Pages of the file.
    package let pages: Int
    /// Its bytes.
    package let bytes: Int
    /// Whether its offsets have eight bytes.
    package let isBig: Bool
  }

  /// Writes the file; it appears whole or not at all.
  ///
  /// - Parameters:
  ///   - image: The image, or a label image.
  ///   - level: The number of the level.
  ///   - array: The array of the level.
  ///   - box: The part of it.
  ///   - path: The new file.
  /// - Returns: What it holds.
  /// - Throws: `unsupported` for a type that OME-TIFF does not have, `exists`, `path` or `usage` for the
  ///   file, `limit` for more than a TIFF can hold, and what reading and writing throw.
  package func write(
    _ image: OMEImage, level: Int, _ array: ZarrArray, _ box: Region, to path: String
  ) throws(Fault) -> Report {
    let output = try SeparatePath(path, called: "the file")
    let ending = output.name.lowercased()
    if !ending.hasSuffix(".tif") && !ending.hasSuffix(".tiff") {
      throw Fault(
        .usage, path, "the name of the file does not end in .tif or .tiff",
        hint: "Fiji knows an OME-TIFF by the ending `.ome.tif`")
    }
    try OutputRules.checkApart(output, image.location)
    let source = TiffSource(image: image, level: level, array: array, box: box)
    let description = try image.location.naming { () throws(Fault) in try source.description }
    let form = try WrittenTiff(
      page: (source.size("y"), source.size("x")), pageCount: source.pages,
      dataType: array.metadata.dataType, compression: compression, rows: source.chunk("y"))
    let new = NewFile(output: output, overwrites: overwrites, rules: work.lockRules)
    return try new.make { (name, folder) throws(Fault) in
      let file = try folder.place(name)
      let writing = TiffWriting(source: source, form: form, file: file)
      let bytes = try writing.run(description, threads: work.threads)
      try file.close(durable: true)
      return Report(pages: form.pageCount, bytes: bytes, isBig: form.isBig)
    }
  }
}

/// What is exported: a box of a level.
struct TiffSource: Sendable {
  let image: OMEImage
  let level: Int
  let array: ZarrArray
  let box: Region

  private func axis(_ letter: Character) -> Int? {
    image.axes.firstIndex { $0.letter == String(letter) }
  }

  /// The size of the box along an axis; 1 where the image has no such axis.
  func size(_ letter: Character) -> Int { axis(letter).map { box.shape[$0] } ?? 1 }

  /// The size of a chunk along an axis.
  func chunk(_ letter: Character) -> Int {
    axis(letter).map { array.metadata.innerChunkShape[$0] } ?? 1
  }

  /// The first place along an axis.
  func origin(_ letter: Character) -> Int { axis(letter).map { box.origin[$0] } ?? 0 }

  /// How many pages it makes.
  var pages: Int { size("t") * size("c") * size("z") }

  /// A box of it, in the axes of the array.
  func region(t: Int, c: Int, z: Range<Int>, y: Range<Int>) -> Region {
    var region = box
    let ranges: [(Character, Range<Int>)] = [
      ("t", t..<t + 1), ("c", c..<c + 1), ("z", z), ("y", y),
    ]
    for (letter, range) in ranges {
      guard let axis = axis(letter) else { continue }
      region.origin[axis] = box.origin[axis] + range.lowerBound
      region.shape[axis] = range.count
    }
    return region
  }

  /// The OME-XML of it.
  var description: [UInt8] {
    get throws(Fault) {
      var text = try OMEXMLText(name: image.name, dataType: array.metadata.dataType)
      let scale = image.scale(of: image.levels[level])
      for (number, axis) in image.axes.enumerated() {
        guard let letter = axis.letter.first else { continue }
        text.sizes[letter] = box.shape[number]
        text.scales[letter] = abs(scale[number])
        text.units[letter] = axis.unit
      }
      text.channels = channels
      return text.bytes
    }
  }

  /// What is told of the channels in the box.
  private var channels: [TiffChannel] {
    let told = image.omero?["channels"]?.arrayValue ?? []
    return (0..<size("c")).map { number in
      let place = origin("c") + number
      var channel = TiffChannel()
      if let known = image.channels, known.indices.contains(place) {
        channel.name = known[place].label
      }
      if told.indices.contains(place) { channel.colour = told[place]["color"]?.stringValue }
      return channel
    }
  }
}
