extension Rule {
  static let systemsList = Rule(
    "systems-list", "`coordinateSystems` is a list of objects, in an image of one or more",
    fix: "list the coordinate systems there", .must(.systems))
  static let systemsUnique = Rule(
    "systems-unique", "No coordinate system of a scene stands twice", fix: "remove one of them",
    .must(.systems))
  static let systemName = Rule(
    "system-name", "Each coordinate system has a name, a string that is not empty", fix: "name it",
    .must(.systems))
  static let systemNameUnique = Rule(
    "system-name-unique", "No two coordinate systems have the same name", fix: "rename one of them",
    .must(.systems, beyondSchema: true))
  static let systemAxes = Rule(
    "system-axes", "Each coordinate system has `axes`", fix: "list its axes", .must(.systems))
  static let axesOutside = Rule(
    "axes-outside-systems", "From 0.6 on axes stand in coordinate systems only",
    fix: "remove `axes` of the entry of `multiscales`", .should(.systems))
  static let levelTransformation = Rule(
    "level-transformation", "A dataset has a list of exactly one transformation",
    fix: "join several in a sequence", .must(.systems))
  static let levelTransformationType = Rule(
    "level-transformation-type",
    "The transformation of a dataset is a scale, an identity, or a sequence of a scale and a translation",
    fix: "put other transformations into the entry of `multiscales`", .must(.systems))
  static let levelSequence = Rule(
    "level-sequence-order", "In the sequence of a dataset the scale stands before the translation",
    fix: "put the scale first, and multiply the translation by it",
    .must(.systems, beyondSchema: true))
  static let levelInput = Rule(
    "level-input", "The input of a dataset's transformation is an object with `path`",
    fix: "write {\"path\": the path of the dataset}", .must(.systems))
  static let levelInputPath = Rule(
    "level-input-path", "Its input is the path of the dataset, without a name",
    fix: "write {\"path\": the path of the dataset}", .must(.systems, beyondSchema: true))
  static let levelOutput = Rule(
    "level-output", "The output of a dataset's transformation is an object with `name`",
    fix: "write {\"name\": a coordinate system}", .must(.systems))
  static let levelOutputKnown = Rule(
    "level-output-known", "Its output is a coordinate system of the image, without a path",
    fix: "write the name of one of `coordinateSystems`", .must(.systems, beyondSchema: true))
  static let levelOutputsEqual = Rule(
    "level-outputs-equal", "All datasets have the same output",
    fix: "write the same name in all of them",
    .must(.systems, beyondSchema: true))
  static let imageTransformations = Rule(
    "image-transformations",
    "`coordinateTransformations` of an image is a list of one or more objects",
    fix: "correct the list or leave it out", .must(.systems))
  static let referenceShape = Rule(
    "reference-shape", "`input` and `output` are objects with a `name`, and with strings only",
    fix: "write {\"name\": a coordinate system}", .must(.systems))
  static let referenceDraft = Rule(
    "reference-draft", "`input` and `output` are objects, not strings as in drafts of 0.6",
    fix: "write {\"name\": a coordinate system}", .should(.systems))
  static let referenceKnown = Rule(
    "reference-known", "A name without a path is a coordinate system of the same document",
    fix: "write the name of one of `coordinateSystems`", .must(.systems, beyondSchema: true))
  static let referencePresent = Rule(
    "reference-present", "A name with a path is a coordinate system of the image there",
    fix: "correct the path or the name", .must(.systems, beyondSchema: true))
  static let imageTransformationEnds = Rule(
    "image-transformation-ends",
    "One end of an image's transformation is the system of its datasets",
    fix: "begin or end it in the output of the datasets", .must(.systems, beyondSchema: true))
  static let labelTransformation = Rule(
    "label-transformation",
    "To and from a label image there are only identities, scales and translations",
    fix: "put other transformations on the image itself", .must(.systems, beyondSchema: true))
  static let systemsConnected = Rule(
    "systems-connected", "Transformations connect all coordinate systems",
    fix: "add a transformation, or remove the system", .must(.systems, beyondSchema: true))

  static let systemRules = [
    systemsList, systemsUnique, systemName, systemNameUnique, systemAxes, axesOutside,
    levelTransformation, levelTransformationType, levelSequence, levelInput, levelInputPath,
    levelOutput, levelOutputKnown, levelOutputsEqual, imageTransformations, referenceShape,
    referenceDraft, referenceKnown, referencePresent, imageTransformationEnds,
    labelTransformation, systemsConnected,
  ]

  static let kindType = Rule(
    "transformation-kind", "The type of a transformation is one of 0.6, and its name a string",
    fix: "see the list in docs/validate.md", .must(.systems))
  static let kindParameters = Rule(
    "transformation-parameters", "A transformation has the parameters of its type",
    fix: "add them, or correct their type", .must(.systems))
  static let kindSequence = Rule(
    "sequence-steps", "A sequence has steps, and they have no `input` and `output`",
    fix: "leave out what is empty, and the ends of the steps", .must(.systems, beyondSchema: true))
  static let kindAffine = Rule(
    "affine-shape", "The rows of an affine have one number more than there are input axes",
    fix: "write a row for each output axis", .must(.systems, beyondSchema: true))
  static let kindRotation = Rule(
    "rotation-matrix", "A rotation is a square matrix of 2 to 5 rows",
    fix: "write a row for each axis",
    .must(.systems))
  static let kindRotationDeterminant = Rule(
    "rotation-determinant",
    "A rotation turns and nothing else: its columns are perpendicular, its determinant is 1",
    fix: "write another matrix as an affine", .must(.systems, beyondSchema: true))
  static let kindMapAxis = Rule(
    "map-axis", "`mapAxis` is a list of different indices, in 0.6 of 2 to 5 from 0 to 4",
    fix: "write for each output axis which input axis it is", .must(.systems))
  static let kindMapAxisPermutation = Rule(
    "map-axis-permutation", "`mapAxis` names every axis once", fix: "write a permutation",
    .must(.systems, beyondSchema: true))
  static let kindProjectAxis = Rule(
    "project-axis",
    "`droppedInputs` and `createdOutputs` are lists of different indices, in 0.6 of 1 to 3 from 0 to 4",
    fix: "write one of them at least", .must(.systems))
  static let kindByDimension = Rule(
    "by-dimension",
    "`byDimension` is a list of objects with `transformation`, `inputAxes` and `outputAxes`",
    fix: "add what is missing", .must(.systems))
  static let kindByDimensionOutputs = Rule(
    "by-dimension-outputs", "No output axis of `byDimension` is made twice, and all exist",
    fix: "correct `outputAxes`", .must(.systems))
  static let kindByDimensionAll = Rule(
    "by-dimension-all", "Every output axis of `byDimension` is made, of input axes that exist",
    fix: "add an item for the others", .must(.systems))
  static let kindInterpolation = Rule(
    "displacement-interpolation", "`interpolation` is nearest, linear or cubic",
    fix: "write one of them",
    .must(.systems))
  static let kindDimensions = Rule(
    "transformation-dimensions", "A transformation makes as many axes as its output has",
    fix: "correct its parameters or its ends", .must(.systems, beyondSchema: true))

  static let kindRules = [
    kindType, kindParameters, kindSequence, kindAffine, kindRotation, kindRotationDeterminant,
    kindMapAxis, kindMapAxisPermutation, kindProjectAxis, kindByDimension, kindByDimensionOutputs,
    kindByDimensionAll, kindInterpolation, kindDimensions,
  ]

  static let sceneObject = Rule(
    "scene-object", "`scene` is an object", fix: "write an object", .must(.systems))
  static let sceneTransformations = Rule(
    "scene-transformations",
    "A scene has `coordinateTransformations`, a list of one or more objects",
    fix: "say how its images lie", .must(.systems))
  static let sceneEnds = Rule(
    "scene-ends",
    "Both ends of a scene's transformation have a `name`, and nothing else than `name` and `path`",
    fix: "write {\"path\": an image, \"name\": a coordinate system}", .must(.systems))
  static let sceneRules = [sceneObject, sceneTransformations, sceneEnds]
}
