/// What a task makes of one image; all of it is committed together.
public enum Product: Sendable {
  /// Label images in the image; none when there is nothing to do.
  case labels([LabelRecipe])
  /// A derived image beside the image.
  case image(ImageRecipe)
  /// A table in the image.
  case table(TableRecipe)
  /// A table in the image, made of what is found in each region.
  case partials(PartialRecipe)
  /// Coarser levels in the image itself.
  case pyramid(PyramidRecipe)
}
