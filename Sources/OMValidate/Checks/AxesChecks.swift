import OMJSON

/// One axis as far as it could be read.
struct AxisFacts: Sendable {
  let name: String?
  let type: String?
  let spot: Spot

  /// What the axis runs along: its type, or its name where the type is left out.
  var kind: String {
    type ?? (["z", "y", "x"].contains(name) ? "space" : name == "t" ? "time" : "channel")
  }

  /// Its name and type for messages.
  var text: String { "\(name ?? "?") (\(type ?? "no type"))" }
}

extension Inspector {
  /// Checks a list of axes.
  ///
  /// - Returns: The axes; nil when it is no list.
  mutating func axes(_ list: Spot) -> [AxisFacts]? {
    guard list.value.arrayValue != nil else {
      report(.axesList, list, "`axes` is \(list.value.excerpt), expected a list")
      return nil
    }
    let axes = version == .v0_3 ? letterAxes(list) : objectAxes(list)
    if !(2...5).contains(axes.count) {
      report(.axesCount, list, "there are \(axes.count) axes, expected 2 to 5")
    }
    if axes.isEmpty && version >= .v0_9 {
      report(.axesList, list, "there are no axes, expected at least one")
    }
    uniqueTexts(
      axes.compactMap { axis in axis.name.map { ($0, axis.spot) } }, "the axis", .axesUnique)
    if version >= .v0_4 { typeCounts(axes, list) }
    order(axes, list)
    orientations(axes)
    return axes
  }

  /// The axes of 0.3: letters.
  private mutating func letterAxes(_ list: Spot) -> [AxisFacts] {
    list.elements.map { element in
      let name = element.value.stringValue
      if name == nil {
        report(.axesList, element, "an axis is \(element.value.excerpt), expected a string")
      } else if !["t", "c", "z", "y", "x"].contains(name) {
        report(.axesName, element, "an axis is \(element.value.excerpt), expected t, c, z, y or x")
      }
      return AxisFacts(name: name, type: nil, spot: element)
    }
  }

  private mutating func objectAxes(_ list: Spot) -> [AxisFacts] {
    list.elements.map { element in
      guard element.value.objectValue != nil else {
        report(.axesList, element, "an axis is \(element.value.excerpt), expected an object")
        return AxisFacts(name: nil, type: nil, spot: element)
      }
      let name = required("name", .string, in: element, .axesName)
      if name == "" { report(.axesName, element, "the name of an axis is empty") }
      let type = optional("type", .string, in: element, .axesTypeText)
      if element["type"] == nil {
        report(.axesType, element, "the axis \(name ?? "") has no `type`", isMissing: true)
      }
      optional("discrete", .bool, in: element, .axesDetails)
      optional("longName", .string, in: element, .axesDetails)
      let axis = AxisFacts(name: name, type: type, spot: element)
      unit(of: axis)
      return axis
    }
  }

  private mutating func unit(of axis: AxisFacts) {
    guard let unit = axis.spot["unit"] else {
      if ["space", "time"].contains(axis.type) {
        report(.axesUnit, axis.spot, "the axis \(axis.text) has no `unit`", isMissing: true)
      }
      return
    }
    guard let name = optional("unit", .string, in: axis.spot, .axesUnitText) else { return }
    let known = ["space": Units.lengths, "time": Units.times][axis.type]
    if let known, !known.contains(name) {
      report(
        .axesUnitName, unit,
        "the unit of the axis \(axis.text) is \"\(name)\", which is none of \(axis.type ?? "")")
    }
  }

  private mutating func typeCounts(_ axes: [AxisFacts], _ list: Spot) {
    let text = axes.map(\.text).joined(separator: ", ")
    let typed = axes.count { $0.type == "space" }
    if setting != .fragment {
      if version.hasSystems {
        let arrays = axes.count { $0.type == "array" }
        if (2...3).contains(typed) == (arrays >= 2) {
          report(.axesSpaceCount, list, "the axes are \(text), expected 2 or 3 of type space")
        }
      } else {
        let untyped = axes.filter { $0.spot["type"] == nil }
        let spatial = typed + untyped.count { $0.kind == "space" }
        if !(2...3).contains(typed + untyped.count) || spatial < 2 {
          report(.axesSpaceCount, list, "the axes are \(text), expected 2 or 3 of type space")
        }
      }
    }
    let kinds = axes.map(\.kind)
    if kinds.count(where: { $0 == "time" }) > 1 {
      report(.axesTimeCount, list, "the axes are \(text), expected at most one of type time")
    }
    if kinds.count(where: { !["time", "space", "array"].contains($0) }) > 1 {
      report(
        .axesChannelCount, list, "the axes are \(text), expected at most one of channel or custom")
    }
  }

  private mutating func order(_ axes: [AxisFacts], _ list: Spot) {
    let text = axes.map(\.text).joined(separator: ", ")
    let ranks = axes.map { axis in
      switch axis.kind {
      case "time": 0
      case "space", "array": 2
      default: 1
      }
    }
    if ranks != ranks.sorted() {
      report(.axesOrder, list, "the axes are \(text), expected time, then channel, then space")
    }
    let spatial = axes.compactMap(\.name).filter { ["z", "y", "x"].contains($0) }
    if Set(spatial).count == spatial.count && spatial != ["z", "y", "x"].filter(spatial.contains) {
      report(.axesSpaceOrder, list, "the axes are \(text), expected z before y before x")
    }
  }
}

/// Names of units that the specification lists from UDUNITS-2.
enum Units {
  private static let prefixes = [
    "", "yocto", "zepto", "atto", "femto", "pico", "nano", "micro", "milli", "centi", "deci",
    "hecto", "kilo", "mega", "giga", "tera", "peta", "exa", "zetta", "yotta",
  ]
  /// Units of space.
  static let lengths = Set(
    prefixes.map { $0 + "meter" } + ["angstrom", "foot", "inch", "mile", "parsec", "yard"])
  /// Units of time.
  static let times = Set(prefixes.map { $0 + "second" } + ["minute", "hour", "day"])
}
