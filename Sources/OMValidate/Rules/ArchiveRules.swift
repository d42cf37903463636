extension Rule {
  static let archiveReadable = Rule(
    "archive-readable",
    "An archive holds one hierarchy with `zarr.json` at its root, is whole and not encrypted, and keeps the "
      + "promises of its comment",
    fix: "make it anew: `omtask pack FOLDER FILE.ozx`", .must(.zarrV3))
  static let archiveName = Rule(
    "archive-name", "The name of an archive ends in `.ozx`", fix: "rename it", .should(.zarrV3))
  static let archiveComment = Rule(
    "archive-comment", "The comment of an archive is JSON with `ome.version`",
    fix: "pack it again with `omtask unpack` and `omtask pack`", .should(.zarrV3))
  static let archiveVersion = Rule(
    "archive-version", "The version in the comment of an archive is that of its hierarchy",
    fix: "pack it again with `omtask unpack` and `omtask pack`", .should(.zarrV3))
  static let archiveOneHierarchy = Rule(
    "archive-one-hierarchy", "An archive holds one hierarchy, and no `zarr.json` beside it",
    fix: "pack the other hierarchies into archives of their own", .must(.zarrV3))
  static let archiveOrder = Rule(
    "archive-order",
    "Metadata come first in an archive: that of the root, then level by level what lies below",
    fix: "pack it again with `omtask unpack` and `omtask pack`", .should(.zarrV3))
  static let archiveStored = Rule(
    "archive-stored", "Entries of an archive are stored, not deflated",
    fix: "pack it again with `omtask unpack` and `omtask pack`", .should(.zarrV3))
  static let archiveStart = Rule(
    "archive-start", "An archive begins with its first entry",
    fix: "pack it again with `omtask unpack` and `omtask pack`", .should(.zarrV3))
  static let archiveExtraFields = Rule(
    "archive-extra-fields", "Entries have no extra fields but those for ZIP64, times and owners",
    fix: "pack it again with `omtask unpack` and `omtask pack`", .should(.zarrV3))
  static let archiveNames = Rule(
    "archive-unique-names", "No two entries of an archive have the same name",
    fix: "pack it again with `omtask unpack` and `omtask pack`", .should(.zarrV3))
  static let archiveZIP64 = Rule(
    "archive-zip64", "Every entry of an archive has ZIP64 fields",
    fix: "pack it again with `omtask unpack` and `omtask pack`", .should(.zarrV3))

  static let archiveRules = [
    archiveReadable, archiveName, archiveComment, archiveVersion, archiveOneHierarchy,
    archiveOrder, archiveStored, archiveStart, archiveExtraFields, archiveNames, archiveZIP64,
  ]
}
