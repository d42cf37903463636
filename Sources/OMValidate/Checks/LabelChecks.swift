import OMJSON

extension Inspector {
  /// Checks `image-label`.
  mutating func imageLabel(_ label: Spot) {
    guard label.value.objectValue != nil else {
      return report(
        .labelObject, label, "`image-label` is \(label.value.excerpt), expected an object")
    }
    if version <= .v0_5 { innerVersion(label, .labelVersion) } else { noInnerVersion(label) }
    expect("colors", in: label, .labelColorsPresent)
    if let list = label["colors"], let colors = objects(list, "colors", .labelColors) {
      unique(colors, "`colors`", .labelColors)
      for color in colors { self.color(color) }
      let values = colors.compactMap { color in
        color["label-value"].map { ($0.value.canonical.text(), color) }
      }
      uniqueTexts(values, "the colour of label", .labelColorsUnique)
    }
    if let list = label["properties"], let entries = objects(list, "properties", .labelProperties) {
      unique(entries, "`properties`", .labelProperties)
      for entry in entries {
        let value = required("label-value", .finite, in: entry, .labelPropertyValue)
        if let value, value != value.rounded(), let spot = entry["label-value"] {
          report(.labelPropertyValue, spot, "`label-value` is \(value), expected a whole number")
        }
      }
    }
    if optional("source", .object, in: label, .labelSource) != nil, let source = label["source"] {
      let path = optional("image", .string, in: source, .labelSource)
      if let path, let spot = source["image"], path.hasPrefix("/") || path.contains("://") {
        report(.labelSourceRelative, spot, "`image` is \(spot.value.excerpt)")
      }
    }
  }

  private mutating func color(_ color: Spot) {
    let value = required("label-value", .finite, in: color, .labelColorValue)
    if let value, value != value.rounded(), let spot = color["label-value"] {
      report(.labelColorWhole, spot, "`label-value` is \(value), expected a whole number")
    }
    guard let rgba = color["rgba"] else { return }
    if !rgba.value.isColor {
      report(
        .labelColorRGBA, rgba,
        "`rgba` is \(rgba.value.excerpt), expected four numbers from 0 to 255")
    }
  }

  /// Checks the list of labels.
  ///
  /// - Returns: The paths that may be read, with their places.
  mutating func labels(_ list: Spot) -> [(path: String, spot: Spot)] {
    guard list.value.arrayValue != nil else {
      report(.labelsList, list, "`labels` is \(list.value.excerpt), expected a list of strings")
      return []
    }
    let paths = strings(list, "labels", .labelsList)
    uniqueTexts(paths.map { ($0.path, $0.spot) }, "the label", .labelsUnique)
    return safe(paths, .labelsPathSafe)
  }

  /// The strings of a list; other elements break the rule.
  mutating func strings(_ list: Spot, _ name: String, _ rule: Rule) -> [(path: String, spot: Spot)]
  {
    list.elements.compactMap { element in
      if let text = element.value.stringValue { return (text, element) }
      report(
        rule, element, "an element of `\(name)` is \(element.value.excerpt), expected a string")
      return nil
    }
  }

  /// The paths that lead down.
  mutating func safe(
    _ paths: [(path: String, spot: Spot)], _ rule: Rule
  ) -> [(path: String, spot: Spot)] {
    paths.filter { isSafe($0.path, $0.spot, rule) }
  }
}
