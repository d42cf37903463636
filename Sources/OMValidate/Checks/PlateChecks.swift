import OMJSON

/// A plate as far as it could be read.
struct PlateFacts: Sendable {
  /// A well with its place in the document.
  struct Well: Sendable {
    let row: String
    let column: String
    let spot: Spot
    var path: String { "\(row)/\(column)" }
  }

  let spot: Spot
  var wells: [Well] = []
  var rows: [String] = []
  /// The most fields that a well may have; nil when nothing is said.
  var fieldCount: Int?
  /// The acquisitions by id, with the most fields of each.
  var acquisitions: [Int: Int?]?
}

extension Inspector {
  /// Checks `plate`.
  mutating func plate(_ plate: Spot) -> PlateFacts {
    var facts = PlateFacts(spot: plate)
    guard plate.value.objectValue != nil else {
      report(.plateObject, plate, "`plate` is \(plate.value.excerpt), expected an object")
      return facts
    }
    if version <= .v0_5 { innerVersion(plate, .plateVersion) } else { noInnerVersion(plate) }
    expect("name", in: plate, .plateName)
    optional("name", .string, in: plate, .plateNameText)
    expect("field_count", in: plate, .plateFieldCount)
    facts.fieldCount = optional("field_count", .positive, in: plate, .plateFieldCountValue)
    facts.rows = lines("rows", of: plate)
    let columns = lines("columns", of: plate)
    facts.acquisitions = acquisitions(of: plate)
    guard let wells = requiredObjects("wells", in: plate, .plateWells) else { return facts }
    unique(wells, "`wells`", .plateWells)
    let rows = facts.rows
    let known = (rows: Set(rows), columns: Set(columns))
    facts.wells = wells.compactMap { well($0, rows: rows, columns: columns, known) }
    uniqueTexts(facts.wells.map { ($0.path, $0.spot) }, "the well", .plateWellUnique)
    return facts
  }

  /// The names of rows or columns.
  private mutating func lines(_ key: String, of plate: Spot) -> [String] {
    guard let lines = requiredObjects(key, in: plate, .plateLines) else { return [] }
    unique(lines, "`\(key)`", .plateLines)
    let names = lines.map { line in
      let name = required("name", .string, in: line, .plateLineName)
      if let name, !name.isAlphanumeric, let spot = line["name"] {
        report(.plateLineAlphanumeric, spot, "a name in `\(key)` is \"\(name)\"")
      }
      return (text: name ?? "", spot: line)
    }
    let given = names.filter { !$0.text.isEmpty }
    uniqueTexts(given, "in `\(key)` the name", .plateLineUnique)
    if Set(given.map(\.text)).count == given.count {
      uniqueTexts(
        given.map { ($0.text.lowercased(), $0.spot) }, "but for case, the name", .plateLineCase)
    }
    return names.map(\.text)
  }

  private mutating func well(
    _ well: Spot, rows: [String], columns: [String],
    _ known: (rows: Set<String>, columns: Set<String>)
  ) -> PlateFacts.Well? {
    let indices = ["rowIndex", "columnIndex"].map { key in
      version >= .v0_4 ? required(key, .count, in: well, .plateWellIndex) : nil
    }
    guard let path = required("path", .string, in: well, .plateWellPath), let spot = well["path"]
    else { return nil }
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, parts.allSatisfy(\.isAlphanumeric) else {
      report(.plateWellPathParts, spot, "`path` is \"\(path)\", expected ROW/COLUMN")
      return nil
    }
    let (row, column) = (parts[0], parts[1])
    if !known.rows.contains(row) || !known.columns.contains(column) {
      report(
        .plateWellPathNames, spot, "`path` is \"\(path)\", which is not in `rows` and `columns`")
    } else {
      for (index, (names, name)) in zip(indices, [(rows, row), (columns, column)]) {
        guard let index, !(names.indices.contains(index) && names[index] == name) else { continue }
        let meant = names.indices.contains(index) ? "names `\(names[index])`" : "is too large"
        report(
          .plateWellIndexTrue, well, "the index \(index) \(meant), the path is \"\(path)\"")
      }
    }
    return PlateFacts.Well(row: row, column: column, spot: well)
  }

  private mutating func acquisitions(of plate: Spot) -> [Int: Int?]? {
    guard let list = plate["acquisitions"],
      let entries = objects(list, "acquisitions", .acquisitionList, mayBeEmpty: version >= .v0_4)
    else { return nil }
    if version <= .v0_3 { unique(entries, "`acquisitions`", .acquisitionList) }
    var known: [Int: Int?] = [:]
    for entry in entries {
      let count = acquisition(entry)
      let id: Int?
      if version == .v0_1 {
        id = required("id", .finite, in: entry, .acquisitionID).flatMap { Int(exactly: $0) }
      } else {
        id = required(
          "id", version >= .v0_4 ? .count : .whole, in: entry, .acquisitionID)
      }
      guard let id else { continue }
      if known.updateValue(count, forKey: id) != nil {
        report(.acquisitionUnique, entry, "the acquisition \(id) stands twice")
      }
    }
    return known
  }

  /// Checks what an acquisition says about itself; returns the most fields of a well.
  private mutating func acquisition(_ entry: Spot) -> Int? {
    expect("name", in: entry, .acquisitionName)
    expect("maximumfieldcount", in: entry, .acquisitionCount)
    optional("name", .string, in: entry, .acquisitionMembers)
    optional("description", .string, in: entry, .acquisitionMembers)
    if version == .v0_1 {
      optional("maximumfieldcount", .finite, in: entry, .acquisitionMembers)
      optional("starttime", .finite, in: entry, .acquisitionMembers)
      return entry["maximumfieldcount"]?.value.wholeValue
    }
    optional("starttime", .count, in: entry, .acquisitionMembers)
    optional("endtime", .count, in: entry, .acquisitionMembers)
    return optional(
      "maximumfieldcount", version >= .v0_4 ? .positive : .whole, in: entry, .acquisitionMembers)
  }
}

extension String {
  /// Whether there are only letters and digits of ASCII, and at least one.
  var isAlphanumeric: Bool {
    !isEmpty && unicodeScalars.allSatisfy { $0.isASCII && $0.properties.isAlphanumeric }
  }
}

extension Unicode.Scalar.Properties {
  /// Whether it is a letter or a digit.
  fileprivate var isAlphanumeric: Bool { isAlphabetic || numericType == .decimal }
}
