import OMImage
import OMJSON
import OMTask

// What a derived image is called.

extension PlanMaker {
  /// The name of a derived image.
  ///
  /// - Parameter recipe: The image to make.
  /// - Returns: The name of its folder.
  /// - Throws: `usage` for an empty suffix and for plain names outside of wells, `path` for a name that no folder
  ///   can have.
  func name(_ recipe: ImageRecipe) throws(Fault) -> String {
    if options.plainNames { return try plainName(recipe) }
    // In a new plate images have the names that they had.
    if options.output != nil, let field { return field.name }
    if let output = options.output { return try SeparatePath.name(of: output) }
    let suffix = recipe.suffix
    let name = DerivedDocuments.name(of: field?.plateLocation ?? image.location, suffix: suffix)
    if suffix.isEmpty { throw Fault(.usage, "", "`suffix` is empty") }
    try LabelName.check(name, besides: [], kind: field == nil ? "image" : "plate")
    return field?.name ?? name
  }

  /// The name as OME-Zarr before 0.6 wants it in a well: letters and digits.
  private func plainName(_ recipe: ImageRecipe) throws(Fault) -> String {
    if options.output != nil || field != nil {
      throw Fault(
        .usage, "",
        "`--plain-names` is given, but what is made here does not go into the well of the image",
        hint: "leave it out: in a new plate images keep their names")
    }
    let location = image.location
    if try location.naming({ () throws(Fault) in try WellList.well(of: location) }) == nil {
      throw Fault(
        .usage, "", "`--plain-names` is given, but the image is in no well",
        hint: "leave it out: only wells restrict the names of their images")
    }
    let suffix = recipe.suffix.filter { $0.isASCII && ($0.isLetter || $0.isNumber) }
    if suffix.isEmpty {
      throw Fault(
        .usage, "", "`suffix` is `\(recipe.suffix)`, `--plain-names` wants a letter or digit in it")
    }
    let name = location.name + suffix
    try LabelName.check(name, besides: [], kind: "image")
    return name
  }

  /// Refuses `--plain-names` where no image is made.
  static func checkNames(_ product: Product, _ options: RunOptions) throws(Fault) {
    guard options.plainNames else { return }
    if case .image = product { return }
    throw Fault(
      .usage, "", "`--plain-names` is given, but the task makes no image",
      hint: "leave it out: it names images that are made in wells")
  }
}
