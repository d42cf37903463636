import OMImage
import OMJSON
import OMStore
import OMTables
import OMTask

/// The tables of one name of all images of a plate, well or collection, or of a single image, as one table.
///
/// Rows are written image by image, so only one table is in memory. Columns are those of all tables, in
/// the order in which they first occur; a table that lacks one has empty fields there.
struct TableJoin {
  /// The columns that say where a row comes from; none for a single image.
  let placeColumns: [String]
  /// The columns of the tables.
  let tableColumns: [String]
  /// How many rows there are.
  let rowCount: Int
  /// The images without the table.
  let missing: [String]
  private let name: String
  private let images: [ImageLocation]
  private let isOneHierarchy: Bool

  /// Finds the tables.
  ///
  /// - Throws: `missing` when no image has the table, and what reading one of them throws.
  init(_ name: String, of source: ImageSource) throws(Fault) {
    self.name = name
    var images: [ImageLocation] = []
    var missing: [String] = []
    var columns: [String] = []
    var rows = 0
    var known: Set<String> = []
    for item in source.items where item.fault == nil {
      guard let table = try TableReader(item.location).read(name) else {
        missing.append(item.location.displayName)
        continue
      }
      images.append(item.location)
      rows += table.rowCount
      for column in table.columns where known.insert(column.name).inserted {
        columns.append(column.name)
      }
    }
    if images.isEmpty {
      if missing.isEmpty, let fault = source.items.compactMap(\.fault).first { throw fault }
      throw TableJoin.nothing(name, source, missing)
    }
    self.images = images
    isOneHierarchy = Set(images.map(\.store.description)).count == 1
    self.missing = missing
    tableColumns = columns
    rowCount = rows
    // A table that says itself where its rows belong is believed.
    placeColumns = TableJoin.places(source.kind, images).filter { !known.contains($0) }
  }

  /// The columns that say where a row comes from.
  private static func places(_ kind: ImageSource.Kind, _ images: [ImageLocation]) -> [String] {
    let ofWells = ["row", "column", "well", "field"]
    switch kind {
    case .image, .scene: return []
    case .plate, .well: return ["plate"] + ofWells
    case .series, .collection:
      return ["image"] + (images.contains { $0.field != nil } ? ofWells : [])
    }
  }

  /// All columns in their order.
  var columns: [String] { placeColumns + tableColumns }

  private static func nothing(
    _ name: String, _ source: ImageSource, _ missing: [String]
  ) -> Fault {
    let place = source.items.first?.location
    let listed = place.flatMap { try? OMEImage.open($0, axes: .any) }.flatMap { image in
      try? LabelsList.read(
        image.location.store, image: image.location.path, version: image.version, shelf: .tables
      ).names
    }
    let tables = listed ?? []
    let subject = missing.count == 1 ? missing[0] : place?.store.description ?? ""
    return Fault(
      .missing, subject,
      missing.count == 1
        ? "there is no table `\(name)`" : "none of \(missing.count) images has a table `\(name)`",
      hint: tables.isEmpty ? nil : "the image has \(tables.joined(separator: ", "))")
  }

  /// Hands the rows of one image after the other to a body, as fields by column.
  ///
  /// - Parameter body: Takes the place of the image, its table, and for each column of the join the
  ///   column of the table; nil where it has none.
  /// - Throws: What reading a table and `body` throw.
  func forEachTable(
    _ body: (ImageLocation, Table, [TableColumn?]) throws -> Void
  ) throws {
    for image in images {
      guard let table = try TableReader(image).read(name) else {
        throw Fault(.missing, image.displayName, "the table `\(name)` has gone meanwhile")
      }
      let columns = tableColumns.map { name in table.columns.first { $0.name == name } }
      try body(image, table, columns)
    }
  }

  /// What the place columns say about an image.
  func place(of image: ImageLocation) -> [String] {
    let field = image.field
    let root = image.store.description.split(separator: "/").last.map(String.init) ?? ""
    return placeColumns.map { column in
      switch column {
      case "plate": root
      case "image": isOneHierarchy ? image.path : image.displayName
      case "row": field?.row ?? ""
      case "column": field?.column ?? ""
      case "well": (field?.row ?? "") + (field?.column ?? "")
      default: field?.name ?? ""
      }
    }
  }

  /// Writes comma-separated text.
  func writeCSV(to sink: any ByteSink) throws {
    var text = CSVText()
    text.add(row: columns.map(CSVText.field))
    try forEachTable { image, table, columns in
      let place = place(of: image).map(CSVText.field)
      let fields = columns.map { $0.map(CSVText.texts) }
      for row in 0..<table.rowCount {
        text.add(row: place + fields.map { $0?(row) ?? "" })
        if text.bytes.count > 1 << 20 { try flush(&text, to: sink) }
      }
    }
    try flush(&text, to: sink)
  }

  private func flush(_ text: inout CSVText, to sink: any ByteSink) throws {
    try text.bytes.withUnsafeBytes { try sink.write($0) }
    text.removeAll()
  }

  /// Writes one JSON document: `table`, `columns`, `rows` and `missing`.
  func writeJSON(to sink: any ByteSink) throws {
    let names = JSON.array(columns.map(JSON.string)).text()
    try sink.write("{\"table\": \(JSON.string(name).text()), \"columns\": \(names), \"rows\": [")
    var isFirst = true
    try forEachTable { image, table, columns in
      let place = place(of: image).map(JSON.string)
      for row in 0..<table.rowCount {
        let values = columns.map { $0?.values.json(row) ?? .null }
        try sink.write((isFirst ? "\n" : ",\n") + JSON.array(place + values).text())
        isFirst = false
      }
    }
    let lost = JSON.array(missing.map(JSON.string)).text()
    try sink.write("\n], \"missing\": \(lost)}\n")
  }
}

extension TableColumn.Values {
  /// A value as JSON; numbers that are not finite are null.
  fileprivate func json(_ row: Int) -> JSON {
    switch self {
    case .int64(let values): JSON(values[row])
    case .uint64(let values): JSON(values[row])
    case .float64(let values): values[row].isFinite ? JSON(values[row]) : .null
    case .string(let values): .string(values[row])
    case .bool(let values): .bool(values[row])
    }
  }
}
