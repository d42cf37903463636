// Boxes of objects as ngio writes them in masking ROI tables.

extension MeasuredObjects {
  /// The corner and the lengths of the box of each object in micrometres, and with a time axis its
  /// first time point and duration in seconds.
  ///
  /// Corners are indices times the size of a voxel, as ngio has them; z is there for flat images too.
  public var roiColumns: [TableColumn] {
    var starts: [TableColumn] = []
    var lengths: [TableColumn] = []
    for letter in ["x", "y", "z"] {
      let (low, high) = box(letter)
      let size = size(letter)
      starts.append(
        TableColumn("\(letter)_micrometer", .float64(low.map { Double($0) * size })))
      lengths.append(
        TableColumn(
          "len_\(letter)_micrometer", .float64(zip(low, high).map { Double($1 - $0) * size })))
    }
    var columns = starts + lengths
    if space.axis("t") != nil {
      let (low, high) = box("t")
      let size = size("t")
      columns.append(TableColumn("t_second", .float64(low.map { Double($0) * size })))
      columns.append(
        TableColumn("len_t_second", .float64(zip(low, high).map { Double($1 - $0) * size })))
    }
    return columns
  }
}
