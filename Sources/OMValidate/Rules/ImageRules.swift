extension Rule {
  static let multiscalesList = Rule(
    "multiscales-list", "`multiscales` is a list of one or more objects",
    fix: "list the image there", .must(.v0_1 ... .v0_9))
  static let multiscalesUnique = Rule(
    "multiscales-unique", "No entry of `multiscales` stands twice", fix: "remove one of them",
    .must(.v0_1 ... .v0_9))
  static let multiscalesVersion = Rule(
    "multiscales-version", "Each entry of `multiscales` has a `version`, a string",
    fix: "write the version of OME-Zarr there", .should(.zarrV2, inSchema: true))
  static let multiscalesName = Rule(
    "multiscales-name", "Each entry of `multiscales` has a `name`", fix: "add `name`",
    .wish(.v0_1 ... .v0_1, inSchema: true), .wish(.v0_2 ... .v0_2),
    .wish(.v0_3 ... .v0_9, inSchema: true))
  static let multiscalesType = Rule(
    "multiscales-type", "Each entry of `multiscales` says by `type` how its levels were made",
    fix: "add `type`, such as mean or gaussian",
    .wish(.v0_1 ... .v0_1, inSchema: true), .wish(.v0_2 ... .v0_2),
    .wish(.v0_3 ... .v0_9, inSchema: true))
  static let multiscalesMetadata = Rule(
    "multiscales-metadata", "Each entry of `multiscales` tells more about that in `metadata`",
    fix: "add `metadata`, such as {\"method\": …}",
    .wish(.v0_1 ... .v0_1, inSchema: true), .wish(.v0_2 ... .v0_2),
    .wish(.v0_3 ... .v0_9, inSchema: true))
  static let multiscalesNameText = Rule(
    "multiscales-name-text", "The `name` of an entry of `multiscales` is a string",
    fix: "write a string", .must(.v0_1 ... .v0_9))
  static let multiscalesMetadataShape = Rule(
    "multiscales-metadata-shape",
    "`metadata` is an object; in 0.1 its `method` and `version` are strings",
    fix: "write an object", .must(.v0_1 ... .v0_1), .should(.v0_2 ... .v0_9))
  static let datasetsList = Rule(
    "datasets-list", "`datasets` is a list of one or more objects, finest level first",
    fix: "list the levels there", .must(.v0_1 ... .v0_9))
  static let datasetPath = Rule(
    "dataset-path", "Each dataset has a `path`, a string", fix: "write where its array is",
    .must(.v0_1 ... .v0_9))
  static let datasetPathSafe = Rule(
    "dataset-path-safe", "The path of a dataset leads down from the group",
    fix: "write a path such as `0` or `scale0/image`", .must(.v0_1 ... .v0_9, beyondSchema: true))
  static let datasetsUnique = Rule(
    "datasets-unique", "No two datasets of an image have the same `path`",
    fix: "take one of them out of the list", .should(.v0_1 ... .v0_9))
  static let datasetsAxes = Rule(
    "multiscales-axes", "Each entry of `multiscales` has `axes`", fix: "list the axes there",
    .must(.v0_3 ... .v0_5))

  static let imageRules = [
    multiscalesList, multiscalesUnique, multiscalesVersion, multiscalesName, multiscalesType,
    multiscalesMetadata, multiscalesNameText, multiscalesMetadataShape, datasetsAxes,
    datasetsList, datasetPath, datasetPathSafe, datasetsUnique,
  ]

  static let transformationsList = Rule(
    "transformations-list", "`coordinateTransformations` is a list of one or more objects",
    fix: "write one scale, and a translation where the level begins elsewhere", .must(.plainAxes))
  static let transformationType = Rule(
    "transformation-type", "A transformation is of type scale or translation",
    fix: "write a scale, or a translation", .must(.plainAxes))
  static let transformationsOneScale = Rule(
    "transformations-one-scale", "There is exactly one scale", fix: "multiply several into one",
    .must(.plainAxes))
  static let transformationsOneTranslation = Rule(
    "transformations-one-translation", "There is at most one translation",
    fix: "add several up to one", .must(.plainAxes, beyondSchema: true))
  static let transformationsOrder = Rule(
    "transformations-order", "The translation stands behind the scale",
    fix: "put the scale first, and multiply the translation by it",
    .must(.plainAxes, beyondSchema: true))
  static let transformationVector = Rule(
    "transformation-vector", "A scale or translation is a list of two or more numbers",
    fix: "write a number for each axis", .must(.plainAxes))
  static let transformationLength = Rule(
    "transformation-length", "A scale or translation has a number for each axis",
    fix: "write a number for each axis, 1 or 0 where there is nothing to say",
    .must(.v0_4 ... .v0_9, beyondSchema: true))
  static let scalePositive = Rule(
    "scale-positive", "The numbers of a scale are above 0",
    fix: "turn the axis round in the arrays instead", .must(.v0_6 ... .v0_9), .should(.plainAxes))

  static let transformationRules = [
    transformationsList, transformationType, transformationsOneScale,
    transformationsOneTranslation, transformationsOrder, transformationVector,
    transformationLength, scalePositive,
  ]
}
