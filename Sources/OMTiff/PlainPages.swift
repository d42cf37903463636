import OMGrid
import OMJSON

/// Images of files that say nothing, or what tifffile says, of their pages.
enum PlainPages {
  /// The image: its pages are z, unless tifffile named the axes.
  ///
  /// - Throws: `metadata` when pages differ.
  static func image(_ content: TiffContent) throws(Fault) -> TiffImage {
    let pages = content.pages.count
    if let named = named(content), let order = PlaneOrder(named.order, named.counts) {
      return try TiffImage(content, counts: named.counts, order: order)
    }
    let counts = (t: 1, c: 1, z: pages)
    guard let order = PlaneOrder("XYZCT", counts) else {
      throw Fault(.internal, "", "no order of planes")
    }
    return try TiffImage(content, counts: counts, order: order)
  }

  /// The shape that tifffile wrote down; nil without one.
  static func shape(_ content: TiffContent) -> [Int]? {
    guard content.description.first == UInt8(ascii: "{"),
      let json = try? JSON(parsing: content.description, subject: "")
    else { return nil }
    return json["shape"]?.arrayValue?.compactMap(\.intValue)
  }

  /// How many planes tifffile wrote, each as large as the first page; nil when it does not say.
  static func planes(_ content: TiffContent) -> Int? {
    guard let shape = shape(content), let page = content.pages.first, shape.allSatisfy({ $0 > 0 })
    else { return nil }
    var rest = shape[...]
    if page.samples > 1 && page.isInterleaved, rest.popLast() != page.samples { return nil }
    guard rest.popLast() == page.width, rest.popLast() == page.height else { return nil }
    if page.samples > 1 && !page.isInterleaved, rest.popLast() != page.samples { return nil }
    return product(of: rest, atMost: TiffImage.mostPlanes)
  }

  /// The axes that tifffile wrote down, when they are t, c and z and fit the pages.
  private static func named(
    _ content: TiffContent
  ) -> (counts: (t: Int, c: Int, z: Int), order: String)? {
    guard let shape = shape(content), planes(content) == content.pages.count,
      let json = try? JSON(parsing: content.description, subject: ""),
      let axes = json["axes"]?.stringValue.map({ Array($0.lowercased()) }),
      axes.count == shape.count
    else { return nil }
    var counts: [Character: Int] = [:]
    var order = ""
    for (axis, size) in zip(axes, shape) where !["y", "x", "s"].contains(axis) {
      if size == 1 { continue }
      guard ["t", "c", "z"].contains(axis), counts.updateValue(size, forKey: axis) == nil else {
        return nil
      }
      order = String(axis) + order
    }
    for axis in ["z", "c", "t"] where !order.contains(axis) { order += axis }
    let product = try? TiffImage.planeCount(counts["t"] ?? 1, counts["c"] ?? 1, counts["z"] ?? 1)
    guard product == content.pages.count else { return nil }
    return ((counts["t"] ?? 1, counts["c"] ?? 1, counts["z"] ?? 1), "XY" + order.uppercased())
  }
}

extension PlaneOrder {
  /// An order of planes so many.
  init?(_ text: String, _ counts: (t: Int, c: Int, z: Int)) {
    self.init(text, t: counts.t, c: counts.c, z: counts.z)
  }
}
