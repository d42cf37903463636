extension Rule {
  static let nodeType = Rule(
    "node-type", "Each node has a `type`, a string",
    fix: "write collection, multiscale or singlescale",
    .must(.nodes))
  static let nodeTypeKnown = Rule(
    "node-type-known",
    "A type is collection, multiscale, singlescale, or has a prefix as in acme:table",
    fix: "add a prefix", .should(.nodes))
  static let nodeName = Rule(
    "node-name", "Each node has a `name`, a string that is not empty", fix: "name it",
    .must(.nodes))
  static let nodeNameUnique = Rule(
    "node-name-unique", "No two nodes of a collection have the same name",
    fix: "rename one of them",
    .must(.nodes))
  static let nodeID = Rule(
    "node-id", "An `id` is made of letters, digits, `-`, `_` and `.`",
    fix: "rename it, and its references",
    .must(.nodes))
  static let nodeIDUnique = Rule(
    "node-id-unique", "No two things of a document have the same `id`",
    fix: "rename one of them, and its references",
    .must(.nodes))
  static let nodeContent = Rule(
    "node-content", "A node has either `nodes` or `path`; a singlescale has `path`",
    fix: "remove one of them, or add one", .must(.nodes))
  static let nodeList = Rule(
    "node-list", "`nodes` is a list of objects", fix: "write a list", .must(.nodes))
  static let nodeAttributes = Rule(
    "node-attributes", "`attributes` is an object", fix: "write an object",
    .must(.nodes))
  static let nodeLevels = Rule(
    "node-levels", "A multiscale holds singlescales only",
    fix: "put other nodes beside it, into the collection", .must(.nodes))
  static let nodeVersion = Rule(
    "node-version", "The root has a `version`, a string", fix: "add `\"version\": \"0.9.dev3\"`",
    .must(.nodes))
  static let nodeVersionChild = Rule(
    "node-version-child", "No node has another version than the root",
    fix: "remove `version` of the node",
    .must(.nodes))
  static let nodeVersionOnce = Rule(
    "node-version-once", "Only the root has a `version`", fix: "remove `version` of the node",
    .should(.nodes))
  static let nodePath = Rule(
    "node-path", "A path is an object with `type` and `path`, strings that are not empty",
    fix: "write {\"type\": \"zarr\", \"path\": \"./image.zarr\"}", .must(.nodes))
  static let nodePathType = Rule(
    "node-path-type", "The type of a path is zarr or json, or has a prefix as in acme:s3",
    fix: "write zarr or json", .should(.nodes))
  static let nodePathDraft = Rule(
    "node-path-draft", "A path is an object, not a string as in the first draft",
    fix: "write {\"type\": \"zarr\", \"path\": \"./image.zarr\"}", .should(.nodes))
  static let nodePathOutside = Rule(
    "node-path-outside", "No path leads out of the root; this one was not followed",
    fix: "validate a folder that holds both", .should(.nodes))
  static let nodePathRemote = Rule(
    "node-path-remote", "No path leads to another machine; this one was not followed",
    fix: "bring the data here, and validate them there", .should(.nodes))
  static let nodePathPresent = Rule(
    "node-path-present", "What a path names is there", fix: "restore it, or correct the path",
    .wish(.nodes))
  static let nodePathKind = Rule(
    "node-path-kind", "A path leads to a document of the node's own type",
    fix: "correct the type of the node", .should(.nodes))
  static let nodeCycle = Rule(
    "node-cycle", "Paths lead in no circle", fix: "take one of the nodes out",
    .must(.nodes))
  static let nodeReference = Rule(
    "node-reference", "A reference is an object with an `id`, a string", fix: "write {\"id\": …}",
    .must(.nodes))
  static let nodeReferenceDraft = Rule(
    "node-reference-draft", "A reference is an object with `id`, not a form of an earlier draft",
    fix: "write {\"id\": …}", .should(.nodes))
  static let nodeReferenceKnown = Rule(
    "node-reference-known", "A reference without a path names an `id` of the document",
    fix: "correct it, or add `path`", .must(.nodes))
  static let nodeAttribute = Rule(
    "node-attribute-known", "An attribute is one of RFC-8, or has a prefix as in acme:view",
    fix: "add a prefix", .should(.nodes))
  static let nodeSystems = Rule(
    "node-systems",
    "A multiscale with nodes has `coordinateSystems`, a list of objects with `id` and `axes`",
    fix: "list them in its attributes", .must(.nodes))
  static let nodeSystemsDraft = Rule(
    "node-systems-draft", "A coordinate system has an `id`, not only a name as in earlier drafts",
    fix: "add `id`", .should(.nodes))
  static let nodeTransformations = Rule(
    "node-transformations", "`coordinateTransformations` is a list of objects with `type`",
    fix: "correct the list", .must(.nodes))
  static let nodeLevelTransformation = Rule(
    "node-level-transformation",
    "The transformation of a singlescale is a scale, perhaps with a translation",
    fix: "put other transformations on the multiscale", .must(.nodes))
  static let nodeLevelTransformationPresent = Rule(
    "node-level-transformation-present", "A singlescale has `coordinateTransformations`",
    fix: "add its scale", .should(.nodes))
  static let nodeScene = Rule(
    "node-scene", "`scene` is an object", fix: "write an object", .must(.nodes))
  static let nodeLabels = Rule(
    "node-labels", "`labels` is an object; its `source` and `labelAttributes` are lists",
    fix: "write an object, which may be empty", .must(.nodes))
  static let nodeLabelsImage = Rule(
    "node-labels-image", "`labels` stands on a multiscale", fix: "move it there",
    .should(.nodes))
  static let nodeLabelValue = Rule(
    "node-label-value", "Each entry of `labelAttributes` has a `labelValue`, a whole number",
    fix: "add the number of the label", .must(.nodes))
  static let nodeLabelColor = Rule(
    "node-label-color", "A `color` is four whole numbers from 0 to 255", fix: "write four numbers",
    .must(.nodes))
  static let nodeLabelKey = Rule(
    "node-label-key", "Other members of `labelAttributes` have a prefix", fix: "add a prefix",
    .should(.nodes))
  static let nodePlate = Rule(
    "node-plate",
    "`plate` has `rows` and `columns`, lists of objects with `id`; `acquisitions` likewise",
    fix: "add what is missing", .must(.nodes))
  static let nodeWell = Rule(
    "node-well", "`well` has `row` and `column`, references to those of the plate",
    fix: "write {\"row\": {\"id\": …}, \"column\": {\"id\": …}}", .must(.nodes))
  static let nodeWellKnown = Rule(
    "node-well-known", "A well or acquisition refers to a row, column or acquisition of the plate",
    fix: "correct the reference", .must(.nodes))

  static let collectionRules = [
    nodeType, nodeTypeKnown, nodeName, nodeNameUnique, nodeID, nodeIDUnique, nodeContent, nodeList,
    nodeAttributes, nodeLevels, nodeVersion, nodeVersionChild, nodeVersionOnce, nodePath,
    nodePathType, nodePathDraft, nodePathOutside, nodePathRemote, nodePathPresent, nodePathKind,
    nodeCycle, nodeReference, nodeReferenceDraft, nodeReferenceKnown, nodeAttribute, nodeSystems,
    nodeSystemsDraft, nodeTransformations, nodeLevelTransformation,
    nodeLevelTransformationPresent, nodeScene, nodeLabels, nodeLabelsImage, nodeLabelValue,
    nodeLabelColor, nodeLabelKey, nodePlate, nodeWell, nodeWellKnown,
  ]
}
