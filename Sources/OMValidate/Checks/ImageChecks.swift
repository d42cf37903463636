import OMJSON
import OMStore

/// One entry of `multiscales` as far as it could be read.
struct MultiscaleFacts: Sendable {
  /// One level.
  struct Level: Sendable {
    /// The key of its array below the group; nil when it names none that may be read.
    let path: String?
    /// The dataset.
    let spot: Spot
  }

  /// The entry.
  let spot: Spot
  /// The axes of the arrays; nil where they are not known, as in 0.1.
  var axes: [AxisFacts]?
  /// The levels, finest first.
  var levels: [Level] = []
  /// Coordinate systems by name.
  var systems: Set<String> = []
  /// Systems of other groups that transformations name.
  var foreign: [SystemReference] = []
}

extension Inspector {
  /// Checks `multiscales`.
  mutating func multiscales(_ list: Spot) -> [MultiscaleFacts] {
    guard let entries = objects(list, "multiscales", .multiscalesList) else { return [] }
    unique(entries, "`multiscales`", .multiscalesUnique)
    return entries.map { entry in
      described(entry)
      return version.hasSystems ? systemImage(entry) : plainImage(entry)
    }
  }

  /// What an entry says about itself.
  private mutating func described(_ entry: Spot) {
    if version <= .v0_4 { innerVersion(entry, .multiscalesVersion) }
    if version >= .v0_6 { noInnerVersion(entry) }
    expect("name", in: entry, .multiscalesName)
    optional("name", .string, in: entry, .multiscalesNameText)
    expect("type", in: entry, .multiscalesType)
    expect("metadata", in: entry, .multiscalesMetadata)
    if optional("metadata", .object, in: entry, .multiscalesMetadataShape) != nil,
      version == .v0_1, let metadata = entry["metadata"]
    {
      optional("method", .string, in: metadata, .multiscalesMetadataShape)
      optional("version", .string, in: metadata, .multiscalesMetadataShape)
    }
  }

  /// An image of 0.1 to 0.5.
  private mutating func plainImage(_ entry: Spot) -> MultiscaleFacts {
    var facts = MultiscaleFacts(spot: entry)
    if let list = entry["axes"] {
      if version >= .v0_3 { facts.axes = axes(list) }
    } else {
      report(.datasetsAxes, entry, "`axes` is missing", isMissing: true)
    }
    facts.levels = datasets(entry)
    guard version >= .v0_4 else { return facts }
    let rank = facts.axes?.count
    for level in facts.levels {
      if level.spot["coordinateTransformations"] == nil {
        report(
          .transformationsList, level.spot,
          "`coordinateTransformations` is missing, expected a list with one scale", isMissing: true)
      }
      scaleAndTranslation(level.spot, rank: rank)
    }
    scaleAndTranslation(entry, rank: rank)
    return facts
  }

  /// Checks `datasets` and the paths in it.
  mutating func datasets(_ entry: Spot) -> [MultiscaleFacts.Level] {
    let datasets = requiredObjects("datasets", in: entry, .datasetsList) ?? []
    let levels = datasets.map { dataset in
      guard let path = required("path", .string, in: dataset, .datasetPath),
        let spot = dataset["path"], isSafe(path, spot, .datasetPathSafe)
      else { return MultiscaleFacts.Level(path: nil, spot: dataset) }
      return MultiscaleFacts.Level(path: path, spot: dataset)
    }
    uniqueTexts(
      levels.compactMap { level in level.path.map { ($0, level.spot) } }, "the dataset",
      .datasetsUnique)
    return levels
  }

  /// Whether a path leads down; if not, the rule is broken.
  mutating func isSafe(_ path: String, _ spot: Spot, _ rule: Rule) -> Bool {
    do throws(Fault) {
      _ = try checkedKey(path, subject: file)
      return true
    } catch {
      report(rule, spot, error.message)
      return false
    }
  }

  /// Checks `coordinateTransformations` of 0.4 and 0.5.
  private mutating func scaleAndTranslation(_ holder: Spot, rank: Int?) {
    guard let list = holder["coordinateTransformations"],
      let items = objects(list, "coordinateTransformations", .transformationsList)
    else { return }
    let types = items.map { item -> String? in
      let type = required("type", .string, in: item, .transformationType)
      if let type, ["scale", "translation"].contains(type) {
        vector(type, in: item, rank: rank)
        return type
      }
      if let type {
        report(.transformationType, item, "a transformation is of type \(type)")
      }
      return type
    }
    let scales = types.count { $0 == "scale" }
    if scales != 1 {
      report(.transformationsOneScale, list, "there are \(scales) scales, expected one")
    }
    let translations = types.count { $0 == "translation" }
    if translations > 1 {
      report(
        .transformationsOneTranslation, list,
        "there are \(translations) translations, expected at most one")
    }
    if scales == 1, types.first == "translation" {
      report(.transformationsOrder, list, "the translation stands in front of the scale")
    }
  }

  /// Checks the numbers of a scale or translation of 0.4 and 0.5.
  private mutating func vector(_ key: String, in item: Spot, rank: Int?) {
    guard let numbers = required(key, .vector, in: item, .transformationVector),
      let spot = item[key]
    else { return }
    if numbers.count < 2 {
      report(
        .transformationVector, spot, "`\(key)` has \(numbers.count) numbers, expected 2 or more")
    }
    length(key, numbers.count, spot, rank: rank)
    if key == "scale", let bad = numbers.first(where: { $0 <= 0 }) {
      report(.scalePositive, spot, "a scale is \(bad), expected a number above 0")
    }
  }

  /// Checks that there is a number for each axis.
  mutating func length(_ key: String, _ count: Int, _ spot: Spot, rank: Int?) {
    guard let rank, count != rank else { return }
    report(
      .transformationLength, spot, "`\(key)` has \(count) numbers, there are \(rank) axes")
  }
}
