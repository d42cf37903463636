import OMImage
import OMJSON
import OMStore
import OMTask

@testable import OMTables

/// A table with a column of every type.
let sample = Table([
  TableColumn("label", .int64([3, -7, 70_000])),
  TableColumn("area", .uint64([1, 2, .max])),
  TableColumn("mean", .float64([1.5, 0.1, -2e300])),
  TableColumn("name", .string(["a", "b, \"c\"\n", ""])),
  TableColumn("flag", .bool([true, false, true])),
])

/// Writes a table as it lies in an image, and reads it again.
func reread(_ table: Table, _ backend: TableBackend, _ version: OMEVersion) throws -> Table? {
  try reader(of: try stored(table, backend, version)).read("t")
}

/// The documents and chunks of a table in an image.
func stored(
  _ table: Table, _ backend: TableBackend, _ version: OMEVersion
) throws -> [String: [UInt8]] {
  var files: [String: [UInt8]] = [:]
  let writer = TableWriter(zarrFormat: version.zarrFormat) { key, bytes in
    files["tables/t/\(key)"] = bytes
  }
  try writer.write(table, as: backend)
  let documents = TableDocuments(
    name: "t", version: version, kind: .features, backend: backend, label: "cells",
    features: table.columns.dropFirst().map(\.name),
    keepsIndexTexts: table.firstUnsignedName != nil, record: ["task": "test"])
  for document in documents.group(source: "") {
    files["tables/t/\(document.key)"] = document.bytes
  }
  return files
}

func reader(of files: [String: [UInt8]]) -> TableReader {
  TableReader(ImageLocation(store: MemoryStore(files), path: ""))
}
