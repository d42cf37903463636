/// One column of a table: a name and a value of one type for each row.
public struct TableColumn: Sendable, Equatable {
  /// The values, in the order of the rows.
  public enum Values: Sendable, Equatable {
    case int64([Int64])
    case uint64([UInt64])
    case float64([Double])
    case string([String])
    case bool([Bool])

    /// How many there are.
    public var count: Int {
      switch self {
      case .int64(let values): values.count
      case .uint64(let values): values.count
      case .float64(let values): values.count
      case .string(let values): values.count
      case .bool(let values): values.count
      }
    }
  }

  /// The name.
  public var name: String
  /// The values.
  public var values: Values

  /// Makes a column.
  public init(_ name: String, _ values: Values) {
    self.name = name
    self.values = values
  }
}

/// A table in memory, whose first column names the rows.
public struct Table: Sendable, Equatable {
  /// The columns; all have as many values as there are rows.
  public let columns: [TableColumn]

  /// Makes a table.
  ///
  /// - Precondition: All columns are equally long, and no two have the same name.
  public init(_ columns: [TableColumn]) {
    precondition(columns.allSatisfy { $0.values.count == columns[0].values.count })
    precondition(Set(columns.map(\.name)).count == columns.count)
    self.columns = columns
  }

  /// How many rows it has.
  public var rowCount: Int { columns.first?.values.count ?? 0 }
}

/// How a table is stored; the names are those of ngio.
public enum TableBackend: String, Sendable, CaseIterable {
  /// AnnData in Zarr arrays.
  case anndata
  /// One file `table.csv`.
  case csv
  /// The attributes of a group `table`.
  case json
}

/// What a table is about; the names are those of ngio.
public enum TableKind: String, Sendable, CaseIterable {
  /// What was measured of the objects of a label image.
  case features = "feature_table"
  /// The boxes of the objects of a label image.
  case maskingROIs = "masking_roi_table"
  /// Anything else.
  case generic = "generic_table"
}
