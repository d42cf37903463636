public import OMGrid

/// Illumination correction: what a lamp and a camera add to an image is taken out again.
///
/// From every voxel the dark field and then a constant are subtracted, each cut off at 0; what is left is divided
/// by the flat field over its largest value.
public struct Illumination: Sendable, Equatable {
  /// Paths of flat fields: one for all channels, or one for each.
  public var flatFields: [String]
  /// Paths of dark fields, given like that; empty for none.
  public var darkFields: [String]
  /// The ROI table of the image whose boxes are its fields of view; nil when these lie side by side from the
  /// first voxel on.
  public var fields: String?
  /// What is subtracted besides.
  public var constant: Double
  /// Whether voxels are cut off instead of rounded to whole numbers.
  public var truncates: Bool

  /// Makes a correction.
  public init(
    flatFields: [String], darkFields: [String], fields: String? = nil, constant: Double,
    truncates: Bool
  ) {
    self.fields = fields
    self.flatFields = flatFields
    self.darkFields = darkFields
    self.constant = constant
    self.truncates = truncates
  }
}

/// A field of view within a volume.
public struct FieldOfView: Sendable, Equatable {
  /// Its first voxel.
  public let origin: Vector3
  /// How many voxels it has.
  public let shape: Vector3

  /// Makes a field.
  public init(origin: Vector3, shape: Vector3) {
    self.origin = origin
    self.shape = shape
  }

  /// Whether it has a voxel in a row, from one voxel up to another.
  func crosses(z: Int, y: Int, _ columns: Range<Int>) -> Bool {
    origin.z..<origin.z + shape.z ~= z && origin.y..<origin.y + shape.y ~= y
      && columns.overlaps(origin.x..<origin.x + shape.x)
  }
}

/// A profile of illumination: one number for each voxel of a field of view.
public struct Profile: Sendable {
  /// Its rows.
  public let height: Int
  /// Voxels of a row.
  public let width: Int
  /// The numbers, row by row.
  public let values: [Double]

  /// Makes a profile.
  ///
  /// - Precondition: There are as many values as voxels.
  public init(height: Int, width: Int, values: [Double]) {
    precondition(values.count == height * width)
    self.height = height
    self.width = width
    self.values = values
  }
}
