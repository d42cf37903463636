import OMGrid
import OMImage
import OMJSON
import OMManifest
import OMTables
import OMTask
import OMZarr

/// A multiscale image that is read, opened with all its levels.
struct SourceImage: Sendable {
  let image: OMEImage
  /// The arrays, finest first.
  let arrays: [ZarrArray]
  /// Where its axes lie, once they are in the order of OME-Zarr.
  let axes: ImageAxes

  /// Opens the image at a location.
  ///
  /// - Parameters:
  ///   - location: Where it is.
  ///   - level: The level that is taken for the finest.
  ///   - axes: What is wanted of its axes.
  /// - Throws: What is wrong with its metadata.
  init(
    _ location: ImageLocation, from level: Int = 0, axes: AxisUse = .inOrder
  ) throws(Fault) {
    try self.init(OMEImage.open(location, axes: axes).beginning(at: level))
  }

  private init(_ image: OMEImage) throws(Fault) {
    self.image = image
    arrays = try image.arrays()
    let kinds = image.axes.map(\.kind.rawValue)
    axes = try ImageAxes(
      kinds: ["time", "channel", "space"].flatMap { kind in kinds.filter { $0 == kind } },
      subject: image.location.displayName)
  }

  /// Opens a label image of an image.
  ///
  /// - Parameters:
  ///   - name: Its name.
  ///   - image: The image.
  ///   - matchingLevels: Whether it begins at the level that fits the finest of the image, which may
  ///     not be the finest there is.
  ///
  /// - Throws: `usage` when the image lists none of that name.
  init(label name: String, of image: OMEImage, matchingLevels: Bool = false) throws(Fault) {
    let listed = try image.labelsList().names
    guard listed.contains(name) else {
      throw Fault(
        .usage, "",
        listed.isEmpty
          ? "the image has no label image `\(name)`, and no other"
          : "the image has no label image `\(name)`, it has \(listed.joined(separator: ", "))",
        hint: nearestName(name, in: listed).map { "did you mean `\($0)`?" })
    }
    let location = image.location
    let label = try OMEImage.open(
      ImageLocation(store: location.store, path: joinedKey(location.path, "labels/\(name)")))
    try self.init(label.beginning(at: matchingLevels ? label.nearestLevel(to: image) : 0))
  }

  /// What a task may know of it.
  var info: ImageInfo {
    ImageInfo(
      name: image.name, axes: image.axes.map(\.letter),
      levelShapes: arrays.map(\.metadata.shape), levelScales: image.levels.map(image.scale),
      units: image.axes.map(\.unit), dataType: arrays[0].metadata.dataType,
      channels: image.channels?.map {
        ImageInfo.Channel(label: $0.label, wavelengthID: $0.wavelengthID)
      })
  }

  /// The array of a level that has voxels.
  func array(_ level: Int) throws(Fault) -> ZarrArray {
    guard level < arrays.count else {
      throw Fault(
        .usage, "", "`level` is \(level), the image has levels 0 to \(arrays.count - 1)")
    }
    let shape = arrays[level].metadata.shape
    if shape.contains(0) { throw Fault(.unsupported, "", "level \(level) has no voxels: \(shape)") }
    return arrays[level]
  }

  /// What is selected of a level: the boxes of a ROI table within the selected box.
  ///
  /// - Throws: `usage` when nothing is left.
  func selection(
    _ select: [String: SelectionRange], _ table: RegionTable?, level: Int
  ) throws(Fault) -> SelectedVoxels {
    let shape = try array(level).metadata.shape
    let box = try selectedBox(select, shape)
    guard let table else { return SelectedVoxels(box) }
    let boxes = table.boxes(
      shape: shape, letters: image.axes.map(\.letter), scales: info.levelScales[level])
    if let chosen = SelectedVoxels(anyOf: boxes.compactMap { $0.intersection(box) }) {
      return chosen
    }
    throw Fault(
      .usage, "",
      "none of the \(table.rows.count) boxes of table `\(table.name)` "
        + (boxes.isEmpty ? "holds a voxel of the image" : "holds a voxel of `--select`"))
  }

  private func selectedBox(
    _ select: [String: SelectionRange], _ shape: [Int]
  ) throws(Fault) -> Region {
    var box = Region(wholeOf: shape)
    for (letter, range) in select.sorted(by: { $0.key < $1.key }) {
      guard let axis = image.axes.firstIndex(where: { $0.letter == letter }) else {
        throw Fault(
          .usage, "",
          "`--select` names the axis `\(letter)`, the image has "
            + image.axes.map(\.letter).joined(separator: ", "))
      }
      let upper = min(range.upper ?? shape[axis], shape[axis])
      if range.lower < 0 || range.lower >= upper {
        throw Fault(
          .usage, "",
          "`--select \(letter)=\(range.lower):\(range.upper.map(String.init) ?? "")` "
            + "leaves nothing of an axis of \(shape[axis])")
      }
      box.origin[axis] = range.lower
      box.shape[axis] = upper - range.lower
    }
    return box
  }
}

extension OMEImage {
  /// The level whose voxels along x are nearest in size to those of the finest level of an image.
  fileprivate func nearestLevel(to image: OMEImage) -> Int {
    guard let wanted = image.levels[0].scale.last else { return 0 }
    let factors = levels.map { level in
      let ratio = abs((level.scale.last ?? 1) / wanted)
      return max(ratio, 1 / ratio)
    }
    return factors.indices.min { factors[$0] < factors[$1] } ?? 0
  }
}
