import OMJSON

/// A field of a well with its place in the document.
struct FieldFacts: Sendable {
  let path: String
  let acquisition: Int?
  let spot: Spot
}

extension Inspector {
  /// Checks `well`.
  ///
  /// - Returns: The fields whose paths may be read.
  mutating func well(_ well: Spot) -> [FieldFacts] {
    guard well.value.objectValue != nil else {
      report(.wellObject, well, "`well` is \(well.value.excerpt), expected an object")
      return []
    }
    if version <= .v0_5 { innerVersion(well, .wellVersion) } else { noInnerVersion(well) }
    guard let images = requiredObjects("images", in: well, .wellImages) else { return [] }
    unique(images, "`images`", .wellImages)
    let fields: [FieldFacts] = images.compactMap { image in
      let acquisition = optional("acquisition", .whole, in: image, .wellAcquisition)
      guard let path = required("path", .string, in: image, .wellImagePath) else { return nil }
      guard isFieldName(path) else {
        if let spot = image["path"] {
          report(.wellImagePath, spot, "`path` is \"\(path)\", expected letters and digits")
        }
        return nil
      }
      return FieldFacts(path: path, acquisition: acquisition, spot: image)
    }
    uniqueTexts(fields.map { ($0.path, $0.spot) }, "the field", .wellImageUnique)
    return fields
  }

  private func isFieldName(_ name: String) -> Bool {
    if version <= .v0_5 { return name.isAlphanumeric }
    let plain = name.filter { !["_", ".", "-"].contains($0) }
    return !name.isEmpty && (plain.isEmpty || plain.isAlphanumeric)
      && !name.allSatisfy { $0 == "." } && !name.hasPrefix("__")
  }

  /// Checks the acquisitions of fields against those of the plate.
  mutating func acquisitions(of fields: [FieldFacts], in plate: PlateFacts, images: Spot) {
    guard let known = plate.acquisitions else { return }
    for field in fields {
      if let acquisition = field.acquisition {
        if known[acquisition] == nil {
          report(
            .wellAcquisitionKnown, field.spot,
            "the acquisition \(acquisition) is none of the \(known.count) of the plate")
        }
      } else if known.count > 1 {
        report(
          .wellAcquisitionPresent, field.spot,
          "`acquisition` is missing, the plate has \(known.count)", isMissing: true)
      }
    }
    let counts = Dictionary(grouping: fields.compactMap(\.acquisition)) { $0 }.mapValues(\.count)
    for (id, count) in counts.sorted(by: { $0.key < $1.key }) {
      guard let limit = known[id] ?? nil, count > limit else { continue }
      report(
        .plateFieldCountTrue, images,
        "there are \(count) fields of acquisition \(id), its `maximumfieldcount` is \(limit)")
    }
  }

  /// Checks `bioformats2raw.layout`.
  mutating func seriesLayout(_ layout: Spot) {
    if layout.value.finiteValue != 3 {
      report(
        .seriesLayout, layout, "`bioformats2raw.layout` is \(layout.value.excerpt), expected 3")
    }
  }

  /// Checks `series`; returns the paths that may be read.
  mutating func series(_ list: Spot) -> [(path: String, spot: Spot)] {
    guard list.value.arrayValue != nil else {
      report(.seriesList, list, "`series` is \(list.value.excerpt), expected a list of strings")
      return []
    }
    let paths = strings(list, "series", .seriesList)
    uniqueTexts(paths.map { ($0.path, $0.spot) }, "the image", .seriesUnique)
    return safe(paths, .seriesPathSafe)
  }
}
