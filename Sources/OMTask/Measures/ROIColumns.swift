// Boxes of objects as ngio writes them in masking ROI tables.

extension MeasuredObjects {
  /// The corner and the lengths of the box of each object, and with a time axis its first time point and
  /// duration.
  ///
  /// Numbers are indices times the size of a voxel in the unit of the axis, whatever the columns are called:
  /// so ngio reads and writes them. z is there for flat images too.
  public var roiColumns: [TableColumn] {
    var starts: [TableColumn] = []
    var lengths: [TableColumn] = []
    for letter in ["x", "y", "z"] {
      let (low, high) = box(letter)
      let size = ownSize(letter)
      starts.append(
        TableColumn("\(letter)_micrometer", .float64(low.map { Double($0) * size })))
      lengths.append(
        TableColumn(
          "len_\(letter)_micrometer", .float64(zip(low, high).map { Double($1 - $0) * size })))
    }
    var columns = starts + lengths
    if space.axis("t") != nil {
      let (low, high) = box("t")
      let size = ownSize("t")
      columns.append(TableColumn("t_second", .float64(low.map { Double($0) * size })))
      columns.append(
        TableColumn("len_t_second", .float64(zip(low, high).map { Double($1 - $0) * size })))
    }
    return columns
  }

  private func ownSize(_ letter: String) -> Double {
    space.axis(letter).map { abs(space.ownSizes[$0]) } ?? 1
  }
}
