extension Rule {
  static let plateObject = Rule(
    "plate-object", "`plate` is an object", fix: "write an object", .must(.v0_1 ... .v0_9))
  static let plateVersion = Rule(
    "plate-version", "`plate` has a `version`, a string", fix: "write the version there",
    .must(.v0_1 ... .v0_3), .should(.v0_4 ... .v0_4, inSchema: true),
    .must(.v0_5 ... .v0_5, beyondSchema: true))
  static let plateName = Rule(
    "plate-name", "A plate has a `name`", fix: "add `name`", .wish(.v0_1 ... .v0_3),
    .wish(.v0_4 ... .v0_9, inSchema: true))
  static let plateNameText = Rule(
    "plate-name-text", "The name of a plate is a string", fix: "write a string",
    .must(.v0_1 ... .v0_9))
  static let plateFieldCount = Rule(
    "plate-field-count", "A plate has a `field_count`", fix: "add the most fields of a well",
    .wish(.v0_1 ... .v0_9))
  static let plateFieldCountValue = Rule(
    "plate-field-count-value", "`field_count` is a whole number of 1 or more",
    fix: "write the most fields of a well", .must(.v0_4 ... .v0_9), .should(.v0_1 ... .v0_3))
  static let plateFieldCountTrue = Rule(
    "plate-field-count-true",
    "No well has more fields than `field_count` or `maximumfieldcount` says",
    fix: "write the most fields of a well", .should(.v0_1 ... .v0_9))
  static let plateLines = Rule(
    "plate-rows-columns",
    "`rows` and `columns` are lists of one or more objects, none of which stands twice",
    fix: "list all rows and columns of the plate", .must(.v0_1 ... .v0_9))
  static let plateLineName = Rule(
    "plate-line-name", "Each row and column has a `name`, a string", fix: "name it, such as A or 1",
    .must(.v0_1 ... .v0_9))
  static let plateLineAlphanumeric = Rule(
    "plate-line-name-alphanumeric", "Names of rows and columns are letters and digits",
    fix: "rename the row or column", .must(.v0_4 ... .v0_9),
    .must(.v0_1 ... .v0_3, beyondSchema: true))
  static let plateLineUnique = Rule(
    "plate-line-name-unique", "No two rows, and no two columns, have the same name",
    fix: "rename one of them", .must(.v0_1 ... .v0_9, beyondSchema: true))
  static let plateLineCase = Rule(
    "plate-line-name-case", "No two rows, and no two columns, differ only in upper and lower case",
    fix: "rename one of them", .should(.v0_1 ... .v0_9))
  static let plateWells = Rule(
    "plate-wells", "`wells` is a list of one or more objects, none of which stands twice",
    fix: "list the wells that have images", .must(.v0_1 ... .v0_9))
  static let plateWellPath = Rule(
    "plate-well-path", "Each well has a `path`, a string", fix: "write ROW/COLUMN",
    .must(.v0_1 ... .v0_9))
  static let plateWellPathParts = Rule(
    "plate-well-path-parts",
    "The path of a well is the names of its row and column: letters and digits",
    fix: "write ROW/COLUMN", .must(.v0_4 ... .v0_9),
    .must(.v0_1 ... .v0_3, beyondSchema: true))
  static let plateWellPathNames = Rule(
    "plate-well-path-names", "The path of a well names a row and a column of the plate",
    fix: "write ROW/COLUMN, and list both", .must(.v0_1 ... .v0_9, beyondSchema: true))
  static let plateWellUnique = Rule(
    "plate-well-unique", "No well is listed twice", fix: "remove one of them",
    .must(.v0_1 ... .v0_9, beyondSchema: true))
  static let plateWellIndex = Rule(
    "plate-well-index",
    "From 0.4 on each well has `rowIndex` and `columnIndex`, whole numbers of 0 or more",
    fix: "count from 0 in `rows` and `columns`", .must(.v0_4 ... .v0_9))
  static let plateWellIndexTrue = Rule(
    "plate-well-index-true", "`rowIndex` and `columnIndex` say the same as the path",
    fix: "count from 0 in `rows` and `columns`", .must(.v0_4 ... .v0_9, beyondSchema: true))
  static let acquisitionList = Rule(
    "acquisitions-list",
    "`acquisitions` is a list of objects; up to 0.3 of one or more, none of which stands twice",
    fix: "correct the list or leave it out", .must(.v0_1 ... .v0_9))
  static let acquisitionID = Rule(
    "acquisition-id", "Each acquisition has an `id`, a whole number; from 0.4 on of 0 or more",
    fix: "number the acquisitions", .must(.v0_1 ... .v0_9))
  static let acquisitionUnique = Rule(
    "acquisition-id-unique", "No two acquisitions have the same `id`", fix: "number them anew",
    .must(.v0_1 ... .v0_9, beyondSchema: true))
  static let acquisitionName = Rule(
    "acquisition-name", "An acquisition has a `name`", fix: "add `name`", .wish(.v0_1 ... .v0_3),
    .wish(.v0_4 ... .v0_9, inSchema: true))
  static let acquisitionCount = Rule(
    "acquisition-field-count", "An acquisition has a `maximumfieldcount`",
    fix: "add the most fields of a well in it", .wish(.v0_1 ... .v0_3),
    .wish(.v0_4 ... .v0_9, inSchema: true))
  static let acquisitionMembers = Rule(
    "acquisition-members",
    "Of an acquisition, `name` and `description` are strings, `maximumfieldcount` is above 0, times are not negative",
    fix: "correct the value or leave it out", .must(.v0_1 ... .v0_9))
  static let plateGroups = Rule(
    "plate-groups", "Plate, row and well are groups",
    fix: "restore the group or take its wells out of the list",
    .must(.v0_1 ... .v0_9))
  static let plateWellPresent = Rule(
    "plate-well-present", "What the plate lists is a well",
    fix: "restore it or take it out of the list",
    .must(.v0_1 ... .v0_9))
  static let plateWellAll = Rule(
    "plate-well-all-listed", "Every well is listed", fix: "add it to `wells`",
    .should(.v0_1 ... .v0_9))
  static let plateRowPlain = Rule(
    "plate-row-plain", "Groups of rows have no metadata of OME-Zarr", fix: "remove it",
    .should(.v0_1 ... .v0_9))
  static let plateRowEmpty = Rule(
    "plate-row-empty", "There is no group of a row without wells", fix: "remove the group",
    .should(.v0_1 ... .v0_9))

  static let plateRules = [
    plateObject, plateVersion, plateName, plateNameText, plateFieldCount, plateFieldCountValue,
    plateFieldCountTrue, plateLines, plateLineName, plateLineAlphanumeric, plateLineUnique,
    plateLineCase, plateWells, plateWellPath, plateWellPathParts, plateWellPathNames,
    plateWellUnique, plateWellIndex, plateWellIndexTrue, acquisitionList, acquisitionID,
    acquisitionUnique, acquisitionName, acquisitionCount, acquisitionMembers, plateGroups,
    plateWellPresent, plateWellAll, plateRowPlain, plateRowEmpty,
  ]

  static let wellObject = Rule(
    "well-object", "`well` is an object", fix: "write an object", .must(.v0_1 ... .v0_9))
  static let wellVersion = Rule(
    "well-version", "`well` has a `version`, a string", fix: "write the version there",
    .should(.v0_4 ... .v0_4, inSchema: true), .should(.v0_1 ... .v0_3), .wish(.v0_5 ... .v0_5))
  static let wellImages = Rule(
    "well-images", "`images` is a list of one or more objects, none of which stands twice",
    fix: "list the fields of the well", .must(.v0_1 ... .v0_9))
  static let wellImagePath = Rule(
    "well-image-path",
    "Each field has a `path` of letters and digits; from 0.6 on also `_`, `.` and `-`, not only dots and not "
      + "beginning with `__`",
    fix: "rename the field", .must(.v0_1 ... .v0_9))
  static let wellImageUnique = Rule(
    "well-image-unique", "No field is listed twice", fix: "remove one of them",
    .must(.v0_1 ... .v0_9, beyondSchema: true))
  static let wellAcquisition = Rule(
    "well-acquisition", "The `acquisition` of a field is a whole number", fix: "write its `id`",
    .must(.v0_1 ... .v0_9))
  static let wellAcquisitionPresent = Rule(
    "well-acquisition-present", "Each field names its acquisition when the plate has several",
    fix: "add `acquisition`", .must(.v0_1 ... .v0_9))
  static let wellAcquisitionKnown = Rule(
    "well-acquisition-known", "The acquisition of a field is one of the plate",
    fix: "write the `id` of an acquisition of the plate", .must(.v0_1 ... .v0_9))
  static let wellImagePresent = Rule(
    "well-image-present", "What a well lists is an image",
    fix: "restore it or take it out of the list",
    .must(.v0_1 ... .v0_9))

  static let wellRules = [
    wellObject, wellVersion, wellImages, wellImagePath, wellImageUnique, wellAcquisition,
    wellAcquisitionPresent, wellAcquisitionKnown, wellImagePresent,
  ]

  static let seriesLayout = Rule(
    "series-layout", "`bioformats2raw.layout` is 3",
    fix: "convert the image anew with bioformats2raw",
    .must(.v0_1 ... .v0_9))
  static let seriesList = Rule(
    "series-list", "`series` is a list of strings",
    fix: "list the paths of the images in their order",
    .must(.v0_1 ... .v0_9))
  static let seriesPathSafe = Rule(
    "series-path-safe", "The path of a series leads down from the root",
    fix: "write a path such as `0`",
    .must(.v0_1 ... .v0_9, beyondSchema: true))
  static let seriesUnique = Rule(
    "series-unique", "No image is listed twice in `series`", fix: "remove one of them",
    .should(.v0_1 ... .v0_9))
  static let seriesPresent = Rule(
    "series-present", "What `series` names is an image",
    fix: "restore it or take it out of the list",
    .must(.v0_1 ... .v0_9))
  static let seriesNumbered = Rule(
    "series-numbered", "Without `series`, images are numbered 0, 1, 2 and so on",
    fix: "list them in `OME`, `series`",
    .must(.v0_1 ... .v0_9))
  static let seriesXML = Rule(
    "series-xml", "There is an `OME/METADATA.ome.xml`",
    fix: "convert the image anew with bioformats2raw",
    .should(.v0_1 ... .v0_9))
  static let seriesXMLCount = Rule(
    "series-xml-count", "The XML has an `Image` for each series",
    fix: "convert the image anew with bioformats2raw",
    .must(.v0_1 ... .v0_9))

  static let seriesRules = [
    seriesLayout, seriesList, seriesPathSafe, seriesUnique, seriesPresent, seriesNumbered,
    seriesXML, seriesXMLCount,
  ]
}
