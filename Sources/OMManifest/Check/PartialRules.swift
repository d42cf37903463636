import OMJSON

extension PartialTraits {
  /// Something that is wrong in what an output says of partials.
  struct Mistake {
    /// Where: members of the output, and places in its lists.
    let path: [String]
    /// What is wrong.
    let message: String
    /// What to do.
    let fix: String?
  }

  /// All that is wrong in what an output says of partials.
  static func mistakes(_ output: JSON) -> [Mistake] {
    var found = PartialMistakes(output)
    found.look()
    return found.all
  }
}

/// Looks for mistakes in what an output says of partials.
private struct PartialMistakes {
  private(set) var all: [PartialTraits.Mistake] = []
  private let output: JSON
  private let kind: PartialTraits.Kind?

  init(_ output: JSON) {
    self.output = output
    kind = output["partials"]?.stringValue.flatMap(PartialTraits.Kind.init)
  }

  private static let columnKeys = ["name", "type", "nullable"]

  mutating func look() {
    guard let given = output["partials"] else {
      return add([], "`partials` is missing, it says how answers of regions become one table")
    }
    guard let kind else {
      return add(
        ["partials"],
        "`partials` is \(given.excerpt), known are \(Self.list(PartialTraits.Kind.self))",
        nearestName(given.stringValue ?? "", in: PartialTraits.Kind.allCases.map(\.rawValue)).map {
          "did you mean \"\($0)\"?"
        })
    }
    if let type = output["kind"]?.stringValue, type != "table" {
      add(["kind"], "`kind` is \"\(type)\", with `partials`", "partials become a table")
    }
    if output["dtypes"] != nil {
      add(["dtypes"], "`dtypes` stands beside `partials`", "leave it out: each column has its type")
    }
    let names = lookAtColumns(kind)
    lookAtOrder(kind, names)
    lookAtLabel(kind, names)
  }

  private mutating func add(_ path: [String], _ message: String, _ fix: String? = nil) {
    all.append(PartialTraits.Mistake(path: path, message: message, fix: fix))
  }

  private static func list<Choice: CaseIterable & RawRepresentable<String>>(
    _: Choice.Type
  ) -> String {
    Choice.allCases.map(\.rawValue).joined(separator: ", ")
  }

  /// - Returns: The names of the columns.
  private mutating func lookAtColumns(_ kind: PartialTraits.Kind) -> [String] {
    guard let columns = output["columns"]?.arrayValue, !columns.isEmpty else {
      add(
        output["columns"] == nil ? [] : ["columns"],
        "`columns` is \(output["columns"]?.excerpt ?? "missing"), expected a list of columns",
        #"such as [{"name": "area", "type": "int64"}]"#)
      return []
    }
    if kind == .histogram && columns.count != 1 {
      add(
        ["columns"], "a histogram has \(columns.count) columns",
        "declare the one of its bins: the counts are in `\(PartialTraits.countColumn)`")
    }
    var names: [String] = []
    for (number, column) in columns.enumerated() {
      let path = ["columns", "\(number)"]
      guard let members = column.objectValue else {
        add(path, "a column is \(column.excerpt), expected an object with `name` and `type`")
        continue
      }
      for key in members.keys where !Self.columnKeys.contains(key) {
        add(
          path + [key], "`\(key)` is not known here",
          nearestName(key, in: Self.columnKeys).map { "did you mean `\($0)`?" }
            ?? "known are \(Self.columnKeys.joined(separator: ", "))")
      }
      lookAtName(column, kind, path, &names)
      lookAtType(column, kind, path)
    }
    return names
  }

  private mutating func lookAtName(
    _ column: JSON, _ kind: PartialTraits.Kind, _ path: [String], _ names: inout [String]
  ) {
    guard let name = column["name"]?.stringValue, !name.isEmpty else {
      return add(
        column["name"] == nil ? path : path + ["name"],
        "`name` is \(column["name"]?.excerpt ?? "missing"), expected a string")
    }
    let isReserved =
      name == PartialTraits.timeColumn || kind == .histogram && name == PartialTraits.countColumn
    if names.contains(name) {
      add(path + ["name"], "the column `\(name)` is there already")
    } else if isReserved {
      add(path + ["name"], "the column `\(name)` is omtask's own", "choose another name")
    } else if name.hasPrefix("_") || name.hasPrefix(".")
      || name.unicodeScalars.contains(where: { $0 == "/" || $0.value < 32 || $0.value == 127 })
      || name.utf8.count > 100
    {
      // A name becomes that of a folder: AnnData keeps columns so.
      add(
        path + ["name"], "the column `\(name)` has a name that AnnData cannot store",
        "1 to 100 bytes, without `/` and control characters, no `_` or `.` at the beginning")
    }
    names.append(name)
  }

  private mutating func lookAtType(
    _ column: JSON, _ kind: PartialTraits.Kind, _ path: [String]
  ) {
    let given = column["type"]
    let known: [PartialTraits.ColumnType]
    switch kind {
    case .table: known = PartialTraits.ColumnType.allCases
    case .sum: known = [.int64, .float64]
    case .histogram: known = [.int64, .float64, .string]
    }
    let type = given?.stringValue.flatMap(PartialTraits.ColumnType.init)
    guard let type, known.contains(type) else {
      return add(
        given == nil ? path : path + ["type"],
        "`type` is \(given?.excerpt ?? "missing"), known for \(kind.rawValue) are "
          + known.map(\.rawValue).joined(separator: ", "))
    }
    guard let nullable = column["nullable"] else { return }
    if nullable.boolValue == nil {
      add(path + ["nullable"], "`nullable` is \(nullable.excerpt), expected true or false")
    } else if nullable == true && (kind != .table || type != .float64) {
      add(
        path + ["nullable"], "`nullable` is for columns of type float64 of a table",
        "leave it out: a value of the others cannot be missing")
    }
  }

  private mutating func lookAtOrder(_ kind: PartialTraits.Kind, _ names: [String]) {
    guard let order = output["sort_by"] else { return }
    if kind != .table {
      return add(
        ["sort_by"], "`sort_by` is for the rows of a table, this is a \(kind.rawValue)",
        "leave it out")
    }
    guard let list = order.arrayValue, !list.isEmpty else {
      return add(["sort_by"], "`sort_by` is \(order.excerpt), expected a list of columns")
    }
    for (number, name) in list.enumerated() where !names.contains(name.stringValue ?? "") {
      add(
        ["sort_by", "\(number)"], "there is no column \(name.excerpt)",
        nearestName(name.stringValue ?? "", in: names).map { "did you mean `\($0)`?" })
    }
  }

  private mutating func lookAtLabel(_ kind: PartialTraits.Kind, _ names: [String]) {
    guard let label = output["label"] else { return }
    guard let name = label.stringValue, !name.isEmpty else {
      return add(["label"], "`label` is \(label.excerpt), expected the name of a label image")
    }
    let types = (output["columns"]?.arrayValue ?? []).filter {
      $0["name"]?.stringValue == PartialTraits.labelColumn
    }
    if kind != .table || types.first?["type"]?.stringValue != "int64" {
      add(
        ["label"], "`label` is \"\(name)\", and there is no column `\(PartialTraits.labelColumn)`",
        "rows about objects need their numbers: declare it, of type int64, in a table")
    }
  }
}
