extension Rule {
  static let documentJSON = Rule(
    "document-json", "A document is strict JSON: no comments, no trailing commas, no key twice",
    fix: "correct the text at this place", .must())
  static let documentReadable = Rule(
    "document-readable",
    "Every document can be read, keeps the limits, and no link leads out of the root",
    fix:
      "restore the file, raise the limit, or validate the folder that holds what the link leads to",
    .must())
  static let documentKind = Rule(
    "document-kind",
    "There is metadata of OME-Zarr: an image, label, plate, well, series or collection",
    fix: "give the document, or the folder, that holds it", .must())
  static let documentFragment = Rule(
    "document-fragment", "A document is whole, not only the value of one of its members",
    fix: "give the file as it is stored to have all of it judged", .should())
  static let omeObject = Rule(
    "ome-object", "From 0.5 on metadata lie in the object `ome` of the attributes",
    fix: "write an object", .must(.zarrV3))
  static let omePlacement = Rule(
    "ome-placement", "From 0.5 on nothing of OME-Zarr lies outside `ome`",
    fix: "move it into `attributes.ome`", .should())
  static let omeVersion = Rule(
    "ome-version", "`ome` says its `version`", fix: "add `\"version\": \"0.5\"`",
    .must(.v0_5 ... .v0_9))
  static let versionText = Rule(
    "version-text", "A version is a string", fix: "put it in quotes", .must())
  static let versionKnown = Rule(
    "version-known", "The version is one that was published", fix: "write 0.1 to 0.6", .must())
  static let versionDraft = Rule(
    "version-draft", "The version is released, not a draft that a release replaced",
    fix: "write the metadata anew in the released version", .should())
  static let versionFormat = Rule(
    "version-zarr-format", "OME-Zarr up to 0.4 is stored as Zarr v2, from 0.5 on as Zarr v3",
    fix: "write it anew in one version (`omtask run convert --ome-version`)", .must())
  static let versionConsistent = Rule(
    "version-consistent", "All groups of a hierarchy have the same version",
    fix: "write those groups anew in the version of the root", .must(.v0_5 ... .v0_9),
    .should(.zarrV2))
  static let versionInner = Rule(
    "version-inner", "Versions inside one document agree", fix: "write the same version everywhere",
    .must(.zarrV2), .must(.v0_5 ... .v0_9, beyondSchema: true))
  static let versionInnerAbsent = Rule(
    "version-inner-absent", "From 0.6 on only `ome` has a version",
    fix: "remove the inner `version`",
    .should(.v0_6 ... .v0_9))

  static let documentRules = [
    documentJSON, documentReadable, documentKind, documentFragment, omeObject, omePlacement,
    omeVersion, versionText, versionKnown, versionDraft, versionFormat, versionConsistent,
    versionInner, versionInnerAbsent,
  ]

  static let zarrGroup = Rule(
    "zarr-group", "A group has a `zarr.json`, or `.zgroup`, that follows Zarr",
    fix: "correct the document of the group", .must())
  static let zarrArray = Rule(
    "zarr-array", "The document of an array follows Zarr", fix: "correct the document of the array",
    .must())
  static let zarrArrayUnsupported = Rule(
    "zarr-array-unsupported", "omtask can read the array",
    fix: "write it anew in a form that omtask reads to use it here",
    .info)
  static let zarrOneFormat = Rule(
    "zarr-one-format", "A group has documents of one Zarr format",
    fix: "remove those of the format that is not meant; omtask takes v3", .should(.zarrV3))
  static let arrayPresent = Rule(
    "array-present", "Each dataset has an array at its path",
    fix: "restore the array or take the dataset out of the list", .must())
  static let arrayRank = Rule(
    "array-rank", "The arrays have a dimension for each axis; five in 0.1 and 0.2",
    fix: "list as many axes as the arrays have dimensions", .must())
  static let arrayNames = Rule(
    "array-dimension-names",
    "From 0.5 on `dimension_names` of the arrays equal the names of the axes",
    fix: "write the names of the axes into `dimension_names`", .must(.v0_5 ... .v0_9))
  static let arrayNamesV2 = Rule(
    "array-dimension-attribute",
    "In 0.3 the axes are repeated in `_ARRAY_DIMENSIONS` of the arrays",
    fix: "add `_ARRAY_DIMENSIONS` to `.zattrs` of the array", .should(.v0_3 ... .v0_3))
  static let arraySeparator = Rule(
    "array-separator", "Keys of chunks are `0.0.0` in 0.1 and `0/0/0` from 0.2 to 0.4",
    fix: "write the arrays with `dimension_separator` \"/\"", .should(.zarrV2))
  static let levelsOrder = Rule(
    "levels-order", "Levels are listed from the largest to the smallest",
    fix: "sort `datasets` by size", .must(.v0_1 ... .v0_9))
  static let levelsRank = Rule(
    "levels-rank", "All levels have the same number of dimensions",
    fix: "write all levels with the axes of the first", .must(.v0_1 ... .v0_9))
  static let levelsType = Rule(
    "levels-type", "All levels have the same data type",
    fix: "write all levels with the type of the first",
    .must(.v0_6 ... .v0_9))

  static let storeRules = [
    zarrGroup, zarrOneFormat, zarrArray, zarrArrayUnsupported, arrayPresent, arrayRank,
    arrayNames, arrayNamesV2, arraySeparator, levelsOrder, levelsRank, levelsType,
  ]
}
