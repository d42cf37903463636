extension Rule {
  static let omeroObject = Rule(
    "omero-object", "`omero` is an object", fix: "write an object or leave it out",
    .must(.v0_1 ... .v0_9))
  static let omeroAlone = Rule(
    "omero-alone", "`omero` stands beside `multiscales`", fix: "add `multiscales`",
    .must(.v0_1 ... .v0_9))
  static let omeroChannels = Rule(
    "omero-channels", "`omero` has `channels`, a list of objects",
    fix: "list a channel for each index of the channel axis", .must(.v0_1 ... .v0_9))
  static let omeroColor = Rule(
    "omero-channel-color", "Each channel has a `color`",
    fix: "add six hexadecimal digits, such as FF0000",
    .must(.zarrV2), .must(.v0_5 ... .v0_9, beyondSchema: true))
  static let omeroColorText = Rule(
    "omero-channel-color-text", "The colour of a channel is a string",
    fix: "write six hexadecimal digits, such as FF0000", .must(.v0_1 ... .v0_9))
  static let omeroColorDigits = Rule(
    "omero-channel-color-digits", "The colour of a channel is six hexadecimal digits",
    fix: "write them without `#`, such as FF0000", .must(.v0_1 ... .v0_9, beyondSchema: true))
  static let omeroWindow = Rule(
    "omero-channel-window", "Each channel has a `window`",
    fix: "add min, max, start and end", .must(.zarrV2),
    .must(.v0_5 ... .v0_9, beyondSchema: true))
  static let omeroWindowNumbers = Rule(
    "omero-window-numbers",
    "A window is an object with the numbers min, max, start and end; in 0.9 min and max may be left out",
    fix: "write all of them as numbers", .must(.v0_1 ... .v0_9))
  static let omeroTexts = Rule(
    "omero-channel-members",
    "`label` and `family` are strings, `active` and `inverted` are true or false",
    fix: "correct the value or leave it out", .must(.v0_1 ... .v0_9))
  static let omeroCount = Rule(
    "omero-channel-count", "There are as many channels as the channel axis is long",
    fix: "list a channel for each index of the channel axis", .should(.v0_1 ... .v0_9))

  static let omeroRules = [
    omeroObject, omeroAlone, omeroChannels, omeroColor, omeroColorText, omeroColorDigits,
    omeroWindow, omeroWindowNumbers, omeroTexts, omeroCount,
  ]

  static let labelObject = Rule(
    "label-object", "`image-label` is an object", fix: "write an object", .must(.v0_1 ... .v0_9))
  static let labelImage = Rule(
    "label-image", "A label image is an image: `multiscales` stands beside `image-label`",
    fix: "add `multiscales`", .must(.v0_1 ... .v0_9, beyondSchema: true))
  static let labelMissing = Rule(
    "label-object-present", "A label image has `image-label`", fix: "add `\"image-label\": {}`",
    .should(.v0_1 ... .v0_9))
  static let labelVersion = Rule(
    "label-version", "`image-label` has a `version`, a string", fix: "write the version there",
    .should(.v0_4 ... .v0_4, inSchema: true), .wish(.v0_5 ... .v0_5))
  static let labelColorsPresent = Rule(
    "label-colors-present", "`image-label` has `colors`", fix: "add a colour for each label",
    .wish(.v0_4 ... .v0_9, inSchema: true), .wish(.v0_1 ... .v0_3))
  static let labelColors = Rule(
    "label-colors", "`colors` is a list of one or more objects, none of which stands twice",
    fix: "correct the list or leave it out", .must(.v0_1 ... .v0_9))
  static let labelColorValue = Rule(
    "label-color-value", "Each colour has a `label-value`, a number",
    fix: "add the number of the label",
    .must(.v0_1 ... .v0_9))
  static let labelColorWhole = Rule(
    "label-color-value-whole", "The `label-value` of a colour is a whole number",
    fix: "write the number of the label", .must(.v0_1 ... .v0_9, beyondSchema: true))
  static let labelColorRGBA = Rule(
    "label-color-rgba", "`rgba` is four whole numbers from 0 to 255", fix: "write four numbers",
    .must(.v0_1 ... .v0_9))
  static let labelColorsUnique = Rule(
    "label-colors-unique", "No label has two colours",
    fix: "keep the last, which is what readers take",
    .must(.v0_4 ... .v0_4, beyondSchema: true), .should(.v0_1 ... .v0_9))
  static let labelProperties = Rule(
    "label-properties", "`properties` is a list of one or more objects, none of which stands twice",
    fix: "correct the list or leave it out", .must(.v0_1 ... .v0_9))
  static let labelPropertyValue = Rule(
    "label-property-value", "Each entry of `properties` has a `label-value`, a whole number",
    fix: "add the number of the label", .must(.v0_1 ... .v0_9))
  static let labelSource = Rule(
    "label-source", "`source` is an object whose `image` is a string",
    fix: "write {\"image\": \"../../\"}",
    .must(.v0_1 ... .v0_9))
  static let labelSourcePresent = Rule(
    "label-source-present", "The image that a label image was made of is there",
    fix: "correct `source.image`, a path relative to the label image", .should(.v0_1 ... .v0_9))
  static let labelSourceRelative = Rule(
    "label-source-relative", "`source.image` is a relative path",
    fix: "write the path from the label image to its image, mostly `../../`",
    .must(.v0_1 ... .v0_9, beyondSchema: true))
  static let labelSourceInside = Rule(
    "label-source-inside",
    "The image that a label image was made of lies below the root; this one was not looked at",
    fix: "correct `source.image`, or validate a folder that holds both", .should(.v0_1 ... .v0_9))
  static let labelLevels = Rule(
    "label-levels", "A label image has as many levels as its image",
    fix: "make the levels of the image (`omtask run pyramid`)", .must(.v0_4 ... .v0_9))
  static let labelInteger = Rule(
    "label-integer", "The arrays of a label image are of an integer type",
    fix: "write the labels as whole numbers", .must(.v0_5 ... .v0_9), .should(.zarrV2))
  static let labelShape = Rule(
    "label-shape", "Each dimension of a label image is as long as that of its image, or 1",
    fix: "write the labels in the shape of the image", .should(.v0_1 ... .v0_9))

  static let labelRules = [
    labelObject, labelImage, labelMissing, labelVersion, labelColorsPresent, labelColors,
    labelColorValue, labelColorWhole, labelColorRGBA, labelColorsUnique, labelProperties,
    labelPropertyValue, labelSource, labelSourceRelative, labelSourceInside, labelSourcePresent,
    labelLevels, labelInteger, labelShape,
  ]

  static let labelsList = Rule(
    "labels-list", "`labels` is a list of strings, the paths of label images",
    fix: "list the paths relative to the group", .must(.v0_1 ... .v0_9))
  static let labelsPathSafe = Rule(
    "labels-path-safe", "The path of a label image leads down from the group",
    fix: "write a path such as `nuclei`", .must(.v0_1 ... .v0_9, beyondSchema: true))
  static let labelsUnique = Rule(
    "labels-unique", "No label image is listed twice", fix: "remove one of them",
    .should(.v0_1 ... .v0_9))
  static let labelsPresent = Rule(
    "labels-present", "What the list of labels names is an image",
    fix: "restore it or take it out of the list",
    .must(.v0_1 ... .v0_9))
  static let labelsAll = Rule(
    "labels-all-listed", "Every label image is listed",
    fix: "add its path to `labels` (`omtask verify --repair`)",
    .should(.v0_1 ... .v0_9))
  static let labelsGroup = Rule(
    "labels-group", "The group `labels` has the list `labels`", fix: "list the label images there",
    .must(.v0_1 ... .v0_9))
  static let labelsBetween = Rule(
    "labels-between", "Groups between `labels` and a label image have no metadata of OME-Zarr",
    fix: "remove the metadata of that group", .must(.v0_1 ... .v0_9))
  static let labelsVersion = Rule(
    "labels-version", "The group `labels` says its version", fix: "add `\"version\"` to `ome`",
    .should(.v0_5 ... .v0_9))

  static let labelsListRules = [
    labelsList, labelsPathSafe, labelsUnique, labelsPresent, labelsAll, labelsGroup,
    labelsBetween, labelsVersion,
  ]
}
