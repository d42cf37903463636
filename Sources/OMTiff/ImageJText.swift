import OMJSON

/// What ImageJ and Fiji write into the description of the first page.
struct ImageJText {
  private let values: [String: String]

  /// Reads the text; nil when somebody else wrote it.
  init?(_ description: [UInt8]) {
    guard description.starts(with: "ImageJ=".utf8) else { return nil }
    // Older releases wrote Latin-1, of which only the micro sign matters.
    let text =
      String(validating: description, as: UTF8.self)
      ?? String(String.UnicodeScalarView(description.map { Unicode.Scalar($0) }))
    var values: [String: String] = [:]
    for line in text.split(whereSeparator: \.isNewline) {
      guard let equals = line.firstIndex(of: "=") else { continue }
      values[String(line[..<equals])] = String(line[line.index(after: equals)...])
    }
    self.values = values
  }

  private func count(_ name: String) -> Int? { values[name].flatMap { Int($0) } }

  /// How many planes the file has; nil when it does not say.
  var planes: Int? { count("images") }

  /// The image: channel counts up first, then z, then time.
  ///
  /// - Parameter content: The file, of which `planes` are known.
  /// - Returns: The image.
  /// - Throws: `metadata` when there are other planes than it says.
  func image(_ content: TiffContent) throws(Fault) -> TiffImage {
    var sizes = (t: count("frames") ?? 1, c: count("channels") ?? 1, z: count("slices") ?? 1)
    let total = try TiffImage.planeCount(sizes.t, sizes.c, sizes.z)
    let pages = content.pages.count
    if total != pages {
      let isTold = sizes != (1, 1, 1)
      if isTold {
        throw Fault(
          .metadata, "",
          "ImageJ counts \(sizes.c) channels × \(sizes.z) slices × \(sizes.t) frames, there are "
            + "\(pages) pages", hint: "the file may be cut off; save it anew")
      }
      sizes = (1, 1, pages)
    }
    guard let order = PlaneOrder("XYCZT", t: sizes.t, c: sizes.c, z: sizes.z) else {
      throw Fault(.internal, "", "no order of planes")
    }
    var image = try TiffImage(content, counts: sizes, order: order)
    let unit = values["unit"].flatMap(LengthUnit.length)
    let isPixels = ["pixel", "pixels", nil].contains(values["unit"])
    func set(_ axis: Character, _ size: Double?, _ unit: String?) {
      guard let size, size.isFinite, size > 0 else { return }
      image.scales[axis] = size
      image.units[axis] = unit
    }
    if !isPixels {
      let (x, y) = content.resolution
      set("x", x > 0 ? 1 / x : nil, unit)
      set("y", y > 0 ? 1 / y : nil, values["yunit"].flatMap(LengthUnit.length) ?? unit)
      set(
        "z", values["spacing"].flatMap { Double($0) }.map { abs($0) },
        values["zunit"].flatMap(LengthUnit.length) ?? unit)
    }
    set(
      "t", values["finterval"].flatMap { Double($0) },
      values["tunit"].flatMap(LengthUnit.time) ?? "second")
    image.uniteUnits()
    return image
  }
}

extension TiffImage {
  /// An image whose planes are all pages of one file, the file with number 0.
  ///
  /// - Throws: `metadata` when pages differ.
  init(
    _ content: TiffContent, counts: (t: Int, c: Int, z: Int), order: PlaneOrder
  ) throws(Fault) {
    guard let first = content.pages.first else {
      throw Fault(.metadata, "", "there is no page in it")
    }
    for (number, page) in content.pages.enumerated() where !page.fits(first) {
      throw Fault(
        .metadata, "", "page \(number) is \(page.form), page 0 is \(first.form)",
        hint: "an image needs pages of one form; split the file in Fiji")
    }
    self.counts = counts
    page = first
    planes = []
    planes.reserveCapacity(content.pages.count)
    for t in 0..<counts.t {
      for c in 0..<counts.c {
        for z in 0..<counts.z {
          planes.append(
            TiffPlace(file: 0, page: Int32(content.numbers[order.number(t: t, c: c, z: z)])))
        }
      }
    }
    if first.isColour { nameColours() }
  }

  /// Calls the samples of a pixel by their colours.
  mutating func nameColours() {
    let colours: [TiffChannel] = [
      TiffChannel(name: "red", colour: "FF0000"), TiffChannel(name: "green", colour: "00FF00"),
      TiffChannel(name: "blue", colour: "0000FF"), TiffChannel(name: "alpha", colour: "FFFFFF"),
    ]
    let samples = (0..<page.samples).map { colours[min($0, 3)] }
    channels = (0..<counts.c).flatMap { _ in samples }
  }
}
