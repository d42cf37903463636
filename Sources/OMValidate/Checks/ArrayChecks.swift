import OMJSON
import OMStore
import OMZarr

/// What the document of an array says, as far as the rules of OME-Zarr ask.
struct ArrayFacts: Sendable {
  let shape: [Int]
  let dataType: String
  /// The names of its dimensions; nil when there are none.
  let names: [String?]?
  /// What keys of chunks are made with, in Zarr v2.
  let separator: String

  /// Whether voxels are whole numbers.
  var isInteger: Bool {
    if dataType.hasPrefix("int") || dataType.hasPrefix("uint") { return true }
    let letters = Array(dataType)
    return letters.count == 3 && "<>|".contains(letters[0]) && "iu".contains(letters[1])
  }

  /// The type without its byte order, for comparing.
  var typeText: String {
    dataType.first.map { "<>|".contains($0) } == true ? String(dataType.dropFirst()) : dataType
  }
}

extension Inspector {
  /// Checks the document of an array.
  ///
  /// - Returns: What the rules of images need; nil when there is no shape.
  mutating func array(_ root: Spot, zarrFormat: Int) -> ArrayFacts? {
    let key = zarrFormat == 3 ? "zarr.json" : ".zarray"
    do {
      _ = try ArrayMetadata.read(MemoryStore([key: root.value.bytes()]), path: "")
    } catch {
      let isUnknown = [.unsupported, .limit].contains(error.kind) && hasFormat(root, zarrFormat)
      report(isUnknown ? .zarrArrayUnsupported : .zarrArray, root, error.message)
    }
    guard let shape = JSONShape<[Int]>.indices.value(root["shape"]?.value ?? .null) else {
      return nil
    }
    let type = root[zarrFormat == 3 ? "data_type" : "dtype"]?.value
    return ArrayFacts(
      shape: shape, dataType: type?.stringValue ?? type?["name"]?.stringValue ?? "",
      names: root["dimension_names"]?.value.arrayValue?.map(\.stringValue),
      separator: root["dimension_separator"]?.value.stringValue ?? ".")
  }

  private func hasFormat(_ root: Spot, _ zarrFormat: Int) -> Bool {
    root["zarr_format"]?.value.wholeValue == zarrFormat
  }
}

/// A level with its array.
struct LevelArray: Sendable {
  let level: MultiscaleFacts.Level
  let array: ArrayFacts
}

extension Inspector {
  /// Checks the arrays of an image against its axes and each other.
  mutating func levels(_ levels: [LevelArray], of image: MultiscaleFacts) {
    let rank = image.axes?.count ?? (version <= .v0_2 ? 5 : nil)
    for (place, level) in levels.enumerated() {
      let shape = level.array.shape
      if let rank, shape.count != rank {
        report(
          .arrayRank, level.level.spot,
          "the array of \(text(level)) has \(shape.count) dimensions, there are \(rank) axes")
      }
      if let axes = image.axes, version.zarrFormat == 3 { names(level, axes) }
      if version <= .v0_4 && level.array.separator != (version == .v0_1 ? "." : "/") {
        report(
          .arraySeparator, level.level.spot,
          "keys of chunks of \(text(level)) are made with \"\(level.array.separator)\"")
      }
      guard place > 0 else { continue }
      compare(level, with: levels[place - 1])
    }
  }

  private mutating func names(_ level: LevelArray, _ axes: [AxisFacts]) {
    let expected = axes.map { $0.name ?? "?" }.joined(separator: ", ")
    guard let names = level.array.names else {
      return report(
        .arrayNames, level.level.spot,
        "the array of \(text(level)) has no `dimension_names`, the axes are \(expected)",
        isMissing: true)
    }
    if names != axes.map(\.name) {
      report(
        .arrayNames, level.level.spot,
        "`dimension_names` of \(text(level)) are \(names.map { $0 ?? "null" }.joined(separator: ", ")), "
          + "the axes are \(expected)")
    }
  }

  private mutating func compare(_ level: LevelArray, with finer: LevelArray) {
    let (shape, before) = (level.array.shape, finer.array.shape)
    if shape.count != before.count {
      report(
        .levelsRank, level.level.spot,
        "\(text(level)) has \(shape.count) dimensions, the level before it \(before.count)")
    } else if zip(shape, before).contains(where: { $0 > $1 }) {
      report(
        .levelsOrder, level.level.spot,
        "\(text(level)) is \(size(shape)), the level before it \(size(before))")
    }
    if level.array.typeText != finer.array.typeText {
      report(
        .levelsType, level.level.spot,
        "\(text(level)) is \(level.array.dataType), the level before it \(finer.array.dataType)")
    }
  }

  /// Checks the arrays of a label image against those of its image.
  mutating func label(
    _ levels: [LevelArray], of label: MultiscaleFacts, image: ImageShape?
  ) {
    for level in levels where !level.array.isInteger {
      report(
        .labelInteger, level.level.spot,
        "the array of \(text(level)) is of type \(level.array.dataType)")
    }
    guard let image else { return }
    if label.levels.count != image.levels {
      report(
        .labelLevels, label.spot,
        "there are \(label.levels.count) levels, the image has \(image.levels)")
    }
    guard let first = levels.first, let axes = label.axes, axes.count == first.array.shape.count
    else { return }
    for (axis, size) in zip(axes, first.array.shape) {
      guard let name = axis.name, let own = image.sizes[name], size != own && size != 1 else {
        continue
      }
      report(
        .labelShape, label.spot,
        "the axis \(name) is \(size) long, that of the image \(own)")
    }
  }

  /// Checks how many channels `omero` lists.
  mutating func channels(_ count: Int?, _ image: ImageShape, _ spot: Spot?) {
    guard let count, let spot, let size = image.channels, count != size else { return }
    report(.omeroCount, spot, "there are \(count) channels, the channel axis is \(size) long")
  }

  private func text(_ level: LevelArray) -> String { "`\(level.level.path ?? "")`" }

  private func size(_ shape: [Int]) -> String { shape.map(String.init).joined(separator: " x ") }
}

/// The size of an image, to compare its label images with.
struct ImageShape: Sendable {
  /// The number of levels listed.
  let levels: Int
  /// The finest level's size along each axis by name.
  let sizes: [String: Int]
  /// Its size along the channel axis; nil when there is none.
  let channels: Int?

  init(_ image: MultiscaleFacts, _ levels: [LevelArray]) {
    self.levels = image.levels.count
    var sizes: [String: Int] = [:]
    var channels: Int?
    let shape = levels.first?.array.shape ?? []
    if let axes = image.axes, axes.count == shape.count {
      for (axis, size) in zip(axes, shape) {
        if let name = axis.name { sizes[name] = size }
        if axis.type == "channel" || axis.type == nil && axis.name == "c" { channels = size }
      }
    } else if image.axes == nil, shape.count == 5 {
      sizes = Dictionary(uniqueKeysWithValues: zip(["t", "c", "z", "y", "x"], shape))
      channels = shape[1]
    }
    self.sizes = sizes
    self.channels = channels
  }
}
