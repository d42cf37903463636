import OMGrid
import OMImage
import OMJSON
import OMZarr

/// What `omtask info` tells about an image.
struct ImageAnswer: Answer {
  let image: OMEImage
  let levels: [ArrayFacts]
  let labels: [String]

  /// Looks at all levels and at the list of labels.
  ///
  /// - Throws: What is wrong with the arrays or the list.
  init(_ image: OMEImage) throws(Fault) {
    self.image = image
    levels = try zip(image.levels, image.arrays()).map { (level, array) throws(Fault) in
      try ArrayFacts(array, path: level.path)
    }
    do throws(Fault) {
      labels =
        try LabelsList.read(
          image.location.store, image: image.location.path, version: image.version
        ).names
    } catch { throw image.location.naming(error) }
  }

  private var version: String { image.nodeVersion ?? image.version.rawValue }

  private var format: String {
    image.location.store is TiffStore ? "TIFF" : "OME-Zarr \(version)"
  }

  var lines: [String] {
    var lines = [
      "\(image.location.displayName): \(format) image \"\(image.name)\"",
      "  axes      \(image.axes.map(\.letter).joined(separator: ", "))",
      "  size      \(shapeText(levels.first?.metadata.shape ?? [])) voxels, "
        + (levels.first?.metadata.dataType.rawValue ?? ""),
      "  voxel     \(voxelText)",
    ]
    lines += coordinates?.lines ?? []
    if let channels = image.channels {
      let texts = channels.enumerated().map { index, channel in
        let names = [channel.label, channel.wavelengthID.map { "(\($0))" }].compactMap { $0 }
        return ([String(index)] + names).joined(separator: " ")
      }
      lines.append("  channels  \(texts.joined(separator: ", "))")
    }
    if let archive { lines.append("  archive   \(archive.line)") }
    for (number, level) in levels.enumerated() {
      lines.append("  level \(number)   \(shapeText(level.metadata.shape)) at `\(level.path)`")
      lines.append("            \(level.line)")
    }
    lines.append("  labels    \(labels.isEmpty ? "none" : labels.joined(separator: ", "))")
    return lines + (image.warnings + (archive?.remarks ?? [])).map { "  note      \($0)" }
  }

  private var coordinates: CoordinateFacts? {
    image.coordinates.map(CoordinateFacts.init)
  }

  private var archive: ArchiveFacts? { ArchiveFacts(image.location.store) }

  /// The size of a voxel of the finest level along each axis, with units.
  private var voxelText: String {
    let scale = image.levels.first.map(image.scale) ?? []
    return zip(image.axes, scale).map { axis, size in
      "\(axis.letter) \(numberText(size))" + (axis.unit.map { " \($0)" } ?? "")
    }.joined(separator: ", ")
  }

  var json: JSON {
    let axes = image.axes.map { axis -> JSON in
      var members: JSONObject = ["name": .string(axis.name), "axis": .string(axis.letter)]
      if let unit = axis.unit { members["unit"] = .string(unit) }
      return .object(members)
    }
    var document: JSONObject = [
      "kind": "image", "uri": .string(image.location.displayName), "name": .string(image.name),
      "version": .string(version), "axes": .array(axes),
    ]
    for (key, value) in coordinates?.members ?? [] { document[key] = value }
    if let channels = image.channels {
      document["channels"] = .array(
        channels.map { channel in
          [
            "label": channel.label.map { .string($0) } ?? .null,
            "wavelength_id": channel.wavelengthID.map { .string($0) } ?? .null,
          ]
        })
    }
    document["archive"] = archive?.json
    document["levels"] = .array(zip(image.levels, levels).map(levelJSON))
    document["labels"] = .array(labels.map { .string($0) })
    document["notes"] = .array(image.warnings.map { .string($0) })
    return .object(document)
  }

  private func levelJSON(_ level: Level, _ facts: ArrayFacts) -> JSON {
    var members = facts.members
    members["scale"] = .array(image.scale(of: level).map { JSON($0) })
    if let translation = image.translation(of: level) {
      members["translation"] = .array(translation.map { JSON($0) })
    }
    return .object(members)
  }
}
