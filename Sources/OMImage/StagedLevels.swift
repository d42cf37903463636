package import OMJSON

/// What marks the stage of levels that are complete: a group that nobody ever sees.
package struct StagedLevels: GroupDocuments {
  package let name: String
  package let version: OMEVersion
  /// Our record of how the levels were made.
  package let record: JSON

  /// Describes a stage.
  package init(name: String, version: OMEVersion, record: JSON) {
    self.name = name
    self.version = version
    self.record = record
  }

  package func group(source: String) -> [MetadataDocument] {
    groupDocuments("", zarrFormat: version.zarrFormat, attributes: ["omtask": record])
  }
}
