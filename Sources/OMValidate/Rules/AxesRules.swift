extension Rule {
  static let axesList = Rule(
    "axes-list", "Axes are a list: strings in 0.3, objects from 0.4 on",
    fix: "list one axis for each dimension of the arrays, in their order",
    .must(.v0_3 ... .collection))
  static let axesCount = Rule(
    "axes-count", "There are 2 to 5 axes", fix: "store other dimensions as separate images",
    .must(.v0_3 ... .v0_6))
  static let axesName = Rule(
    "axes-name", "Each axis has a name, a string that is not empty; in 0.3 one of t, c, z, y, x",
    fix: "name the axis", .must(.v0_3 ... .collection))
  static let axesUnique = Rule(
    "axes-names-unique", "No two axes have the same name", fix: "rename one of them",
    .must(.axisObjects), .must(.v0_3 ... .v0_3, beyondSchema: true))
  static let axesTypeText = Rule(
    "axes-type-text", "The type of an axis is a string", fix: "write space, time or channel",
    .must(.axisObjects))
  static let axesType = Rule(
    "axes-type", "Each axis has a type", fix: "write space, time or channel",
    .should(.axisObjects))
  static let axesSpaceCount = Rule(
    "axes-space-count",
    "2 or 3 axes are of type space (from 0.6 on: or 2 and more of type array); in 0.4 and 0.5 an axis "
      + "without type counts as one, as in the published schemas",
    fix: "give every axis its type", .must(.v0_4 ... .v0_6))
  static let axesTimeCount = Rule(
    "axes-time-count", "At most one axis is of type time", fix: "give the others another type",
    .must(.v0_4 ... .v0_6, beyondSchema: true))
  static let axesChannelCount = Rule(
    "axes-channel-count", "At most one axis is a channel or of a custom type or of none",
    fix: "store such dimensions as separate images",
    .must(.v0_4 ... .v0_6, beyondSchema: true))
  static let axesOrder = Rule(
    "axes-order", "Axes stand in the order time, channel or custom, space",
    fix: "write the arrays with their dimensions in this order (`omtask run convert --axes`)",
    .must(.v0_4 ... .v0_6, beyondSchema: true), .should(.v0_3 ... .v0_3))
  static let axesSpaceOrder = Rule(
    "axes-space-order", "Axes of space stand in the order z, y, x",
    fix: "write the arrays with their dimensions in this order (`omtask run convert --axes`)",
    .should(.v0_3 ... .v0_6))
  static let axesUnitText = Rule(
    "axes-unit-text", "The unit of an axis is a string", fix: "write a name such as micrometer",
    .must(.axisObjects))
  static let axesUnit = Rule(
    "axes-unit", "Axes of space and time have a unit", fix: "add `unit`, such as micrometer",
    .wish(.axisObjects))
  static let axesUnitName = Rule(
    "axes-unit-name", "The unit is a name that UDUNITS-2 knows, and fits the type of the axis",
    fix: "write the name in full, such as micrometer or second", .should(.axisObjects))
  static let axesDetails = Rule(
    "axes-details", "`discrete` is true or false, `longName` a string",
    fix: "correct the value or leave it out", .must(.v0_6 ... .collection))

  static let axesRules = [
    axesList, axesCount, axesName, axesUnique, axesTypeText, axesType, axesSpaceCount,
    axesTimeCount, axesChannelCount, axesOrder, axesSpaceOrder, axesUnitText, axesUnit,
    axesUnitName, axesDetails,
  ]

  static let orientationShape = Rule(
    "orientation-shape",
    "`orientation` is an object with `type`, which is \"anatomical\", and `value`",
    fix: "write both members, or leave `orientation` out",
    .must(.v0_9 ... .collection), .must(.v0_4 ... .v0_6, beyondSchema: true))
  static let orientationValue = Rule(
    "orientation-value", "The value of an orientation is one of the vocabulary, as left-to-right",
    fix: "take a value of the list in docs/validate.md",
    .must(.v0_9 ... .collection), .must(.v0_4 ... .v0_6, beyondSchema: true))
  static let orientationSpace = Rule(
    "orientation-space", "Only axes of type space have an orientation", fix: "leave it out",
    .must(.axisObjects, beyondSchema: true))
  static let orientationLine = Rule(
    "orientation-line", "No two axes run along the same line, such as left and right",
    fix: "correct the orientation of one of them", .must(.axisObjects, beyondSchema: true))
  static let orientationAll = Rule(
    "orientation-all", "All axes of space have an orientation, or none has",
    fix: "say the orientation of the others too", .should(.axisObjects))
  static let orientationNull = Rule(
    "orientation-null", "An orientation that is not known is left out, not null",
    fix: "leave `orientation` out", .should(.axisObjects))

  static let orientationRules = [
    orientationShape, orientationValue, orientationSpace, orientationLine, orientationAll,
    orientationNull,
  ]
}
