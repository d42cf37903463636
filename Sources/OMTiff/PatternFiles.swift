import OMJSON
import OMStore

/// The files that fit a pattern, and their places.
struct PatternFiles {
  /// The values of each axis of the pattern, in order.
  private let values: [Character: [String]]
  /// The number of the file at each place: t, then c, then z; nil where there is none.
  private let numbers: [Int?]
  /// The files.
  private(set) var files: [TiffFile] = []
  /// The names of files that are not there.
  private(set) var missing: [String] = []

  private static let mostFiles = 1_000_000

  /// Finds the files below a folder.
  ///
  /// - Throws: `missing` when no file fits, `metadata` when two have the same place, `limit` for too many.
  init(_ pattern: TiffPattern, _ store: any Store) throws(Fault) {
    var found: [(name: String, values: [Character: String])] = [("", [:])]
    for parts in pattern.names {
      var next: [(name: String, values: [Character: String])] = []
      for folder in found {
        for name in try store.list(folder.name) {
          guard let values = TiffPattern.match(name, parts) else { continue }
          next.append((path(below: folder.name, name), folder.values.merging(values) { $1 }))
        }
      }
      if next.count > Self.mostFiles {
        throw Fault(.limit, "", "more than \(Self.mostFiles) files fit the pattern")
      }
      found = next
    }
    if found.isEmpty {
      let names = (try? store.list("").prefix(3).joined(separator: ", ")) ?? ""
      throw Fault(
        .missing, "", "no file fits the pattern",
        hint: names.isEmpty ? nil : "in `\(store.description)` lie \(names), …")
    }
    let values = try Self.values(found.map(\.values), pattern.axes)
    self.values = values
    let counts = ["t", "c", "z"].map { values[$0]?.count ?? 1 }
    let total = try TiffImage.planeCount(counts[0], counts[1], counts[2])
    var numbers = [Int?](repeating: nil, count: total)
    var first: [Int: String] = [:]
    let known = values.mapValues { names in
      Dictionary(names.enumerated().map { ($1, $0) }) { first, _ in first }
    }
    for entry in found {
      let places = (["t", "c", "z"] as [Character]).map { axis in
        known[axis]?[Self.canonical(entry.values[axis] ?? "", axis)] ?? 0
      }
      let place = (places[0] * counts[1] + places[1]) * counts[2] + places[2]
      if let other = first[place] {
        throw Fault(.metadata, "", "`\(other)` and `\(entry.name)` have the same place")
      }
      first[place] = entry.name
      guard let file = try TiffFile(store, entry.name, keepsText: files.isEmpty) else { continue }
      numbers[place] = files.count
      files.append(file)
    }
    self.numbers = numbers
    for place in numbers.indices where numbers[place] == nil {
      if missing.count == 1000 { break }
      missing.append(name(place, counts, pattern, like: found[0].values))
    }
  }

  /// A value without zeros in front; names as they are.
  private static func canonical(_ text: String, _ axis: Character) -> String {
    Int(text).map { "\($0)" } ?? text
  }

  /// The values of each axis: numbers by size, then names; numbers of t and z in even steps.
  private static func values(
    _ found: [[Character: String]], _ axes: [Character]
  ) throws(Fault) -> [Character: [String]] {
    var all: [Character: [String]] = [:]
    for axis in axes {
      let texts = Set(found.compactMap { $0[axis].map { canonical($0, axis) } })
      let numbers = texts.compactMap { Int($0) }.sorted()
      guard numbers.count == texts.count else {
        all[axis] = texts.sorted { one, other in
          switch (Int(one), Int(other)) {
          case (let one?, let other?): one < other
          case (nil, nil): one < other
          case (let number, _): number != nil
          }
        }
        continue
      }
      all[axis] = axis == "c" ? numbers.map { "\($0)" } : try steps(numbers, axis)
    }
    return all
  }

  /// The numbers with those that a gap leaves out.
  private static func steps(_ numbers: [Int], _ axis: Character) throws(Fault) -> [String] {
    let gaps = zip(numbers.dropFirst(), numbers).map { $0 - $1 }
    guard let step = gaps.min(), let first = numbers.first, let last = numbers.last else {
      return numbers.map { "\($0)" }
    }
    if gaps.contains(where: { !$0.isMultiple(of: step) }) || (last - first) / step > mostFiles {
      throw Fault(
        .metadata, "",
        "the numbers of \(axis) are in uneven steps: "
          + numbers.prefix(8).map(String.init).joined(separator: ", "),
        hint: "rename the files, or take a pattern that only some of them fit")
    }
    return stride(from: first, through: last, by: step).map { "\($0)" }
  }

  /// The name of a file that is not there, with as many digits as another one.
  private func name(
    _ place: Int, _ counts: [Int], _ pattern: TiffPattern, like other: [Character: String]
  ) -> String {
    let places: [Character: Int] = [
      "t": place / counts[2] / counts[1], "c": place / counts[2] % counts[1],
      "z": place % counts[2],
    ]
    return pattern.names.map { parts in
      parts.map { part in
        switch part {
        case .text(let text): return text
        case .axis(let axis):
          let value = values[axis]?[places[axis] ?? 0] ?? ""
          let width = other[axis].map { $0.hasPrefix("0") ? $0.count : 0 } ?? 0
          return Int(value) == nil || value.count >= width
            ? value : String(repeating: "0", count: width - value.count) + value
        }
      }.joined()
    }.joined(separator: "/")
  }

  /// The image that all files make together.
  ///
  /// - Parameter each: The image of the first file; all others have pages like it.
  /// - Returns: The image.
  /// - Throws: `metadata` when a file has an axis of the pattern by itself.
  func image(of each: TiffImage) throws(Fault) -> TiffImage {
    for (axis, size) in [("t", each.counts.t), ("c", each.counts.c), ("z", each.counts.z)]
    where values[Character(axis)] != nil && size > 1 {
      throw Fault(
        .metadata, "",
        "`\(files[0].key)` has \(size) places along \(axis), which the pattern counts by files")
    }
    var image = each
    let outer = ["t", "c", "z"].map { values[$0]?.count ?? 1 }
    image.counts = (
      each.counts.t * outer[0], each.counts.c * outer[1], each.counts.z * outer[2]
    )
    let total = try TiffImage.planeCount(image.counts.t, image.counts.c, image.counts.z)
    image.planes = []
    image.planes.reserveCapacity(total)
    for t in 0..<image.counts.t {
      for c in 0..<image.counts.c {
        for z in 0..<image.counts.z {
          let place =
            ((outer[0] > 1 ? t : 0) * outer[1] + (outer[1] > 1 ? c : 0)) * outer[2]
            + (outer[2] > 1 ? z : 0)
          guard let file = numbers[place] else {
            image.planes.append(.missing)
            continue
          }
          let own = each.place(
            t: outer[0] > 1 ? 0 : t, c: outer[1] > 1 ? 0 : c, z: outer[2] > 1 ? 0 : z)
          // A plane that the first file itself lacks is nowhere.
          image.planes.append(
            own.file == 0 ? TiffPlace(file: Int32(clamping: file), page: own.page) : .missing)
        }
      }
    }
    if let names = values["c"] {
      let isNamed = names.contains { Int($0) == nil }
      image.channels = names.flatMap { name in
        let one =
          each.channels.isEmpty
          ? [TiffChannel](repeating: TiffChannel(), count: each.page.samples) : each.channels
        return one.map { TiffChannel(name: isNamed ? name : $0.name, colour: $0.colour) }
      }
      // The same name for every channel tells nothing.
      if !isNamed && Set(image.channels.map(\.name)).count < image.channels.count {
        image.channels = []
      }
    }
    image.name = nil
    return image
  }
}
