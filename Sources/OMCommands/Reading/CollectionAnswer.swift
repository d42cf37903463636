import OMImage
import OMJSON

/// What `omtask info` tells about a plate, a well or a collection: where its images are.
struct CollectionAnswer: Answer {
  let uri: String
  let source: ImageSource

  private var images: [ImageSource.Item] { source.items.filter { $0.fault == nil } }

  private var fields: [ImageLocation.Field] { images.compactMap(\.location.field) }

  var lines: [String] {
    var contents = [counted(images.count, "image")]
    if source.kind != .well && !fields.isEmpty {
      contents.insert(
        counted(Set(fields.map { "\($0.row)/\($0.column)" }).count, "well"), at: 0)
    }
    if source.labelCount > 0 { contents.append(counted(source.labelCount, "label image")) }
    var lines = ["\(uri): \(source.kind.noun) with \(contents.joined(separator: ", "))"]
    if source.kind != .well && !fields.isEmpty { lines += map }
    let acquisitions = Set(fields.compactMap(\.acquisition)).sorted()
    if !acquisitions.isEmpty {
      lines.append("  acquisitions  \(acquisitions.map(String.init).joined(separator: ", "))")
    }
    let named = source.kind == .well ? images : images.filter { $0.location.field == nil }
    lines += named.prefix(Self.named).map { "  \($0.location.displayName)" }
    if named.count > Self.named {
      lines.append("  and \(named.count - Self.named) more, `--json` lists them")
    }
    lines += source.items.compactMap { $0.fault.map { "  cannot be read: \($0)" } }
    if let archive { lines.append("  archive: \(archive.line)") }
    return lines + (source.warnings + (archive?.remarks ?? [])).map { "  note: \($0)" }
  }

  /// How many images are named one by one.
  private static var named: Int { 100 }

  private var archive: ArchiveFacts? { ArchiveFacts(source.items.first?.location.store) }

  /// The number of images of each well, as the plate lies before one.
  private var map: [String] {
    var rows: [String] = []
    var columns: [String] = []
    var counts: [String: Int] = [:]
    for field in fields {
      if !rows.contains(field.row) { rows.append(field.row) }
      if !columns.contains(field.column) { columns.append(field.column) }
      counts["\(field.row)/\(field.column)", default: 0] += 1
    }
    let names = columns.sorted { ($0.count, $0) < ($1.count, $1) }
    let width = (names + counts.values.map(String.init)).map(\.count).max() ?? 1
    let margin = (rows.map(\.count).max() ?? 1) + 2
    let line = { (row: String, cells: [String]) in
      let start = String(repeating: " ", count: margin - row.count) + row
      return ([start] + cells.map { String(repeating: " ", count: width - $0.count) + $0 })
        .joined(separator: " ")
    }
    let body = rows.sorted { ($0.count, $0) < ($1.count, $1) }.map { row in
      line(row, names.map { counts["\(row)/\($0)"].map(String.init) ?? "." })
    }
    return ["  images per well:", line("", names)] + body
  }

  var json: JSON {
    var document: JSONObject = [
      "kind": .string(source.kind.rawValue), "uri": .string(uri),
      "images": .array(images.map(imageJSON)),
      "errors": .array(source.items.compactMap { $0.fault.map { .object(faultMembers($0)) } }),
      "notes": .array(source.warnings.map { .string($0) }),
    ]
    if source.kind == .collection { document["labels"] = JSON(source.labelCount) }
    document["archive"] = archive?.json
    return .object(document)
  }

  private func imageJSON(_ item: ImageSource.Item) -> JSON {
    var members: JSONObject = ["uri": .string(item.location.displayName)]
    if let field = item.location.field {
      members["row"] = .string(field.row)
      members["column"] = .string(field.column)
      members["field"] = .string(field.name)
      if let acquisition = field.acquisition { members["acquisition"] = JSON(acquisition) }
    }
    return .object(members)
  }
}
