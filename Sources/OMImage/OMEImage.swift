package import OMJSON
import OMStore
package import OMZarr

/// A multiscale image: its axes, levels and channels, checked.
package struct OMEImage: Sendable {
  /// Where it is.
  package let location: ImageLocation
  /// The version of OME-Zarr that it follows.
  package let version: OMEVersion
  /// The name it gives itself, or the name of its folder.
  package let name: String
  /// The axes in array order.
  package let axes: [Axis]
  /// The resolutions, finest first.
  package private(set) var levels: [Level]
  /// What is applied after the transformations of each level; nil when nothing is.
  package let transformations: Transformations?
  /// The channels that it describes; nil when it describes none.
  package let channels: [Channel]?
  /// The `omero` block as it was read; nil when there is none that can be read.
  package let omero: JSON?
  /// Our own record of how it was made; nil when somebody else made it.
  package let record: JSON?
  /// The `multiscales` entry as it was read.
  package let document: JSONObject
  /// Whether its metadata say that it is a label image.
  package let isLabel: Bool
  /// The version of RFC-8 that its metadata follow, which are a node then; `document` is what 0.6
  /// would say.
  package let nodeVersion: String?
  /// What is odd about the metadata but can be read.
  package let warnings: [String]

  /// Reads the image at a location.
  ///
  /// - Parameters:
  ///   - location: Where it is.
  ///   - axes: What is wanted of its axes.
  /// - Returns: The image.
  /// - Throws: `missing` when there is no group, `metadata`, `path` or `unsupported` for metadata
  ///   that cannot be used; the subject names the document with its whole path.
  package static func open(
    _ location: ImageLocation, axes: AxisUse = .inOrder
  ) throws(Fault) -> OMEImage {
    do throws(Fault) {
      guard let group = try OMEGroup.read(location.store, path: location.path) else {
        throw Fault(.missing, location.path, "there is no Zarr group")
      }
      return try usable(group, at: location, axes)
    } catch { throw location.naming(error) }
  }

  /// The image of a group; one whose arrays contradict its axes is invalid, whatever these are.
  private static func usable(
    _ group: OMEGroup, at location: ImageLocation, _ axes: AxisUse
  ) throws(Fault) -> OMEImage {
    do throws(Fault) {
      return try OMEImage(group, at: location, axes: axes)
    } catch {
      if error.kind == .unsupported, axes != .any,
        let image = try? OMEImage(group, at: location, axes: .any)
      {
        _ = try image.arrays()
      }
      throw error
    }
  }

  init(
    _ group: OMEGroup, at location: ImageLocation, axes use: AxisUse = .inOrder
  ) throws(Fault) {
    let subject = group.subject
    let node = try NodeMultiscale(group)
    let entries =
      if let node {
        [try node.entry(location.store)]
      } else {
        try group.keys.required("multiscales", .objects, in: subject)
      }
    guard let entry = entries.first else {
      throw Fault(.metadata, subject, "`multiscales` is empty, expected one image")
    }
    self.location = location
    document = entry
    name = entry["name"]?.stringValue.flatMap { $0.isEmpty ? nil : $0 } ?? location.name
    var version = group.version
    let canonical = try ReadMultiscale.canonical(entry, version, subject: subject) {
      (paths) throws(Fault) in
      let arrays = try paths.map { (path) throws(Fault) in
        try ArrayMetadata.read(
          location.store, path: joinedKey(location.path, checkedKey(path, subject: subject)))
      }
      if group.isVersionAssumed, version == .v0_2, arrays.first?.hasKeysWithDots == true {
        version = .v0_1
      }
      return arrays.map(\.shape)
    }
    self.version = version
    axes = try Axis.read(
      canonical, node == nil ? version.axisRules : .free, for: use, subject: subject)
    levels = try Level.read(canonical, rank: axes.count, subject: subject)
    let isPlain = canonical["coordinateTransformations"].map { $0 == [] } ?? true
    transformations =
      isPlain ? nil : try Transformations(canonical, rank: axes.count, subject: subject)
    let (channels, warning) = Channel.read(group.keys, subject: subject)
    self.channels = channels
    omero = channels == nil ? nil : group.keys["omero"]
    record = group.record
    isLabel = group.keys["image-label"] != nil || node?.node.isLabel == true
    nodeVersion = node.map { _ in group.keys["version"]?.stringValue ?? "RFC-8" }
    let several = "\(subject) has \(entries.count) images in `multiscales`, the first is used"
    warnings = group.warnings + [warning].compactMap(\.self) + (entries.count > 1 ? [several] : [])
  }

  /// The document that holds the metadata, below the store.
  package var subject: String { joinedKey(location.path, version.documentName) }

  /// The same image as if a coarser level were its finest.
  ///
  /// - Precondition: There is a level of this number.
  package func beginning(at level: Int) -> OMEImage {
    var image = self
    image.levels.removeFirst(level)
    return image
  }

  /// The size of a voxel of a level along each axis, with what the image applies behind its levels.
  package func scale(of level: Level) -> [Double] {
    guard let whole = transformations?.scale else { return level.scale }
    return zip(level.scale, whole).map { $0 * $1 }
  }

  /// Where the first voxel of a level lies, with what the image applies behind its levels; nil when nothing says it.
  package func translation(of level: Level) -> [Double]? {
    guard let transformations else { return level.translation }
    let inner = level.translation.map { zip($0, transformations.scale).map { $0 * $1 } }
    guard let outer = transformations.translation else { return inner }
    return inner.map { zip($0, outer).map { $0 + $1 } } ?? outer
  }

  /// The position of the channel axis, or nil when there is none.
  package var channelAxis: Int? { axes.firstIndex { $0.kind == .channel } }
}

// MARK: - Arrays

extension OMEImage {
  /// Opens the array of a level and checks it against the metadata.
  ///
  /// - Precondition: There is a level of this number.
  /// - Throws: `missing` when the array is not there, `metadata` when it does not fit; the subject
  ///   names the document with its whole path.
  package func array(_ level: Int) throws(Fault) -> ZarrArray {
    do throws(Fault) {
      let path = joinedKey(location.path, levels[level].path)
      let array = try ZarrArray.open(location.store, path: path)
      try check(array.metadata, level: levels[level].path)
      return array
    } catch { throw location.naming(error) }
  }

  /// Opens the arrays of all levels and checks that they go from fine to coarse.
  ///
  /// - Throws: As `array`, and `metadata` when a level is larger than the one before.
  package func arrays() throws(Fault) -> [ZarrArray] {
    var arrays: [ZarrArray] = []
    for level in levels.indices {
      let array = try array(level)
      if let finer = arrays.last?.metadata.shape,
        let fault = misfit(levels[level], array.metadata.shape, behind: finer)
      {
        throw fault
      }
      arrays.append(array)
    }
    return arrays
  }

  /// What is wrong with the shape of a level behind a finer one, or nil.
  package func misfit(_ level: Level, _ shape: [Int], behind finer: [Int]) -> Fault? {
    guard zip(shape, finer).contains(where: { $0 > $1 }) else { return nil }
    return location.naming(
      Fault(
        .metadata, subject,
        "level `\(level.path)` has the shape \(shape), larger than the level before, \(finer)"))
  }

  private func check(_ array: ArrayMetadata, level: String) throws(Fault) {
    if array.zarrFormat != version.zarrFormat {
      throw Fault(
        .metadata, subject,
        "level `\(level)` is Zarr v\(array.zarrFormat), OME-Zarr \(version.rawValue) is stored as "
          + "Zarr v\(version.zarrFormat)")
    }
    if array.shape.count != axes.count {
      throw Fault(
        .metadata, subject,
        "there are \(axes.count) axes, level `\(level)` has \(array.shape.count) dimensions")
    }
    guard let given = array.dimensionNames, given.contains(where: { $0 != nil }) else { return }
    if given != axes.map(\.name) {
      let shown = given.map { $0 ?? "null" }.joined(separator: ", ")
      throw Fault(
        .metadata, subject,
        "the axes are \(axes.map(\.name).joined(separator: ", ")), level `\(level)` has the "
          + "`dimension_names` \(shown)")
    }
  }
}
