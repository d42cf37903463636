import OMImage
import OMJSON
import OMTask

/// A plate that is made of another one image by image, and the place of one image in it.
struct NewPlate: Sendable {
  /// The plate.
  let path: SeparatePath
  /// The image in it.
  let image: SeparatePath
  /// What is written above the image.
  let list: PlateList
  /// The path from the new plate to the plate that it is made of.
  let source: String
  /// The path from the new image to the image that it is made of.
  let imageSource: String

  var field: PlateField { list.field }

  /// The place of an image of a plate in the new plate, where the task or the user wants one.
  ///
  /// - Parameters:
  ///   - recipe: What the task asks for.
  ///   - image: The image that is read.
  ///   - options: The options of the run.
  /// - Returns: The field of the image that is read; nil when no plate is to be made of it.
  /// - Throws: `usage` for a well by itself, and what reading the plate gives.
  static func field(
    _ recipe: ImageRecipe, _ image: ImageLocation, _ options: RunOptions
  ) throws(Fault) -> PlateField? {
    // An image that is named by itself is the only one of its output.
    let isWanted = options.output == nil ? recipe.place == .newPlate : image.field != nil
    if !isWanted { return nil }
    let field = try image.naming { () throws(Fault) in try PlateField.find(image) }
    if field == nil && options.output != nil {
      throw Fault(
        .usage, "--output", "`--output` is given for images of a well that is in no plate",
        hint: "run image by image, or leave `--output` out")
    }
    return field
  }

  /// Finds the place of an image.
  ///
  /// - Parameters:
  ///   - field: The image that is read.
  ///   - suffix: What is added to the name of the plate where no path is given.
  ///   - version: The version of OME-Zarr to write.
  ///   - options: The options of the run.
  /// - Throws: `path` for an output that names no new folder.
  init(
    _ field: PlateField, suffix: String, _ version: OMEVersion, _ options: RunOptions
  ) throws(Fault) {
    let plate = field.plateLocation
    try OutputRules.checkNewPlate(options.output ?? plate.displayName)
    if let output = options.output {
      path = try SeparatePath(output)
      source = plate.displayName
      imageSource = joinedKey(plate.displayName, field.path)
    } else {
      path = try SeparatePath(
        beside: plate, name: DerivedDocuments.name(of: plate, suffix: suffix))
      source = "../\(plate.name)"
      imageSource = "../../../../\(plate.name)/\(field.path)"
    }
    image = SeparatePath(field.name, inWell: field.well, of: path)
    list = PlateList(field, version: version, name: path.name)
  }
}
