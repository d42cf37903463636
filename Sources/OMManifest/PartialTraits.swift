import OMJSON

/// A table that a program makes piece by piece: what it answers for each region, and how the answers become one.
public struct PartialTraits: Sendable, Equatable {
  /// How the answers of regions become one table.
  public enum Kind: String, Sendable, CaseIterable {
    /// Rows, which follow each other.
    case table
    /// Numbers, which are added up by their names.
    case sum
    /// Counts, which are added up by their bins.
    case histogram
  }

  /// What the values of a column are.
  public enum ColumnType: String, Sendable, CaseIterable {
    case int64, float64, string, bool
  }

  /// One column that every answer has.
  public struct Column: Sendable, Equatable {
    /// The name.
    public let name: String
    /// What its values are.
    public let type: ColumnType
    /// Whether a value may be missing.
    public let isNullable: Bool

    /// Makes a column.
    public init(_ name: String, _ type: ColumnType, isNullable: Bool = false) {
      self.name = name
      self.type = type
      self.isNullable = isNullable
    }
  }

  /// How the answers become one table.
  public let kind: Kind
  /// The columns that every answer has; of a histogram those of bins and counts.
  public let columns: [Column]
  /// The columns that the rows are sorted by; without any they keep the order of regions.
  public let sortBy: [String]
  /// The label image whose objects the rows are about; nil for rows about anything else.
  public let label: String?

  /// Makes the traits of a table.
  public init(_ kind: Kind, columns: [Column], sortBy: [String] = [], label: String? = nil) {
    self.kind = kind
    self.columns = columns + (kind == .histogram ? [Column(Self.countColumn, .int64)] : [])
    self.sortBy = sortBy
    self.label = label
  }

  /// The keys of an output that only such tables have.
  public static let keys = ["partials", "columns", "sort_by", "label"]
  /// The column that holds the counts of a histogram.
  public static let countColumn = "count"
  /// The column that says of which time point a row is; omtask fills it.
  public static let timeColumn = "time_index"
  /// The column that names the objects of a label image.
  public static let labelColumn = "label"
}

extension PartialTraits {
  /// Reads what an output says of partials; nil when it says nothing.
  ///
  /// - Throws: The first mistake.
  init?(_ output: JSONObject, subject: String) throws(Fault) {
    if !Self.keys.contains(where: { output[$0] != nil }) { return nil }
    if let mistake = Self.mistakes(.object(output)).first {
      throw Fault(.manifest, subject, mistake.message, hint: mistake.fix)
    }
    guard let kind = output["partials"]?.stringValue.flatMap(Kind.init) else { return nil }
    let columns = (output["columns"]?.arrayValue ?? []).map { column in
      Column(
        column["name"]?.stringValue ?? "",
        column["type"]?.stringValue.flatMap(ColumnType.init) ?? .string,
        isNullable: column["nullable"]?.boolValue ?? false)
    }
    self.init(
      kind, columns: columns,
      sortBy: (output["sort_by"]?.arrayValue ?? []).compactMap(\.stringValue),
      label: output["label"]?.stringValue)
  }
}
