public import OMJSON

/// One table that a task makes of an image: a row for each object of a label image.
///
/// The engine reads the label image and the image once, region by region, adds up what `sums` names
/// for each object, and merges it over threads and ranks. All sums are exact, so the table never
/// depends on how the image was cut.
public struct TableRecipe: Sendable {
  /// The name of the table.
  public var name: String
  /// What it is about.
  public var kind: TableKind
  /// How it is stored.
  public var backend: TableBackend
  /// The label image of the image whose objects are measured.
  public var label: String
  /// The channels whose voxels are added up, by index.
  public var channels: [Int]
  /// What is added up for each object.
  public var sums: SumsNeed
  /// Whether an object has a row for each time point; otherwise one for all of them.
  public var splitsTime: Bool
  /// Makes the columns of the merged sums; the first names the rows.
  public var columns: @Sendable (MeasuredObjects) throws(Fault) -> [TableColumn]

  /// Makes a recipe.
  public init(
    name: String, kind: TableKind, backend: TableBackend, label: String, channels: [Int],
    sums: SumsNeed, splitsTime: Bool,
    columns: @escaping @Sendable (MeasuredObjects) throws(Fault) -> [TableColumn]
  ) {
    self.name = name
    self.kind = kind
    self.backend = backend
    self.label = label
    self.channels = channels
    self.sums = sums
    self.splitsTime = splitsTime
    self.columns = columns
  }
}
