package import OMImage
package import OMJSON
package import OMTask

/// The metadata of a table's group, with the attributes that ngio knows it by.
package struct TableDocuments: GroupDocuments {
  package let name: String
  package let version: OMEVersion
  /// What the table is about.
  package let kind: TableKind
  /// How it is stored.
  package let backend: TableBackend
  /// The label image whose objects it is about; nil for one about anything else.
  package let label: String?
  /// The names of its columns but the first; empty for tables that do not list them.
  package let features: [String]
  /// Whether ngio must take the index of AnnData, which is texts, as texts: it makes signed numbers of it
  /// otherwise.
  package let keepsIndexTexts: Bool
  /// Our record of how it was made.
  package let record: JSON

  /// Describes a table.
  package init(
    name: String, version: OMEVersion, kind: TableKind, backend: TableBackend, label: String?,
    features: [String], keepsIndexTexts: Bool = false, record: JSON
  ) {
    self.name = name
    self.version = version
    self.kind = kind
    self.backend = backend
    self.label = label
    self.features = features
    self.keepsIndexTexts = keepsIndexTexts && backend == .anndata
    self.record = record
  }

  /// The documents of the group; a table says itself what it was made of.
  package func group(source: String) -> [MetadataDocument] {
    groupDocuments("", zarrFormat: version.zarrFormat, attributes: attributes)
  }

  private var attributes: JSONObject {
    var attributes = JSONObject()
    if backend == .anndata { attributes = AnnDataWriter.encoding("anndata", "0.1.0") }
    attributes["type"] = .string(kind.rawValue)
    attributes["table_version"] = "1"
    attributes["backend"] = .string(backend.rawValue)
    if let label {
      attributes["region"] = ["path": .string("../labels/\(label)")]
      attributes["instance_key"] = "label"
      attributes["index_key"] = "label"
      attributes["index_type"] = keepsIndexTexts ? "str" : "int"
    }
    if kind != .maskingROIs {
      attributes["categorical_columns"] = []
      attributes["measurement_columns"] = .array(
        features.filter { $0 != Self.timeColumn }.map(JSON.string))
      attributes["metadata_columns"] = .array(
        features.filter { $0 == Self.timeColumn }.map(JSON.string))
    }
    attributes["omtask"] = record
    return attributes
  }

  /// The column that says where a row belongs and is no measurement.
  private static let timeColumn = "time_index"
}
