import OMGrid
import OMImage
import OMJSON
import OMManifest
import OMStore
import OMZarr

/// Compares what a task made with what its manifest declares, as other programs would read it.
struct DeclaredOutputs: Sendable {
  let manifest: Manifest

  /// Reads the metadata of everything that was made of an image.
  ///
  /// *Local*, rank 0.
  ///
  /// - Parameter report: The image, whose results are in their places.
  /// - Returns: What differs, in sentences; empty when all is as declared.
  func mismatches(_ report: ImageReport) -> [String] {
    var found: [String] = []
    for output in report.outputs {
      do throws(Fault) {
        var made = try Made(reading: output.uri)
        // An image or label image that was there before has other levels now.
        if output.kind == .levels { made.kind = output.kind.rawValue }
        found += mismatches(output.name, made)
      } catch {
        // What the disk or the server refuses to show says nothing about the task.
        if [.io, .permission, .remote].contains(error.kind) { continue }
        found.append("`\(output.name)` cannot be read: \(error.message)")
      }
    }
    for declared in manifest.traits.outputs
    where !report.outputs.contains(where: { $0.kind.rawValue == declared.kind }) {
      found.append("there is no \(declared.kind), \(manifest.identifier) declares one")
    }
    return found
  }

  private func mismatches(_ name: String, _ made: Made) -> [String] {
    let declared = manifest.traits.outputs.filter { $0.kind == made.kind }
    if declared.isEmpty {
      let kinds = manifest.traits.outputs.map(\.kind).joined(separator: ", ")
      return ["`\(name)` is of kind \(made.kind), \(manifest.identifier) declares \(kinds)"]
    }
    var found: [String] = []
    let types = declared.flatMap(\.dataTypes)
    if let type = made.dataType, !types.contains(type) {
      found.append(
        "the voxels of `\(name)` are of type \(type), \(manifest.identifier) declares "
          + types.joined(separator: ", "))
    }
    if let columns = declared.first?.partials?.columns.map(\.name), made.kind == "table",
      case let missing = columns.filter({ !made.columns.contains($0) }), !missing.isEmpty
    {
      found.append(
        "the table `\(name)` has no column \(missing.joined(separator: ", ")), "
          + "\(manifest.identifier) declares it")
    }
    for (type, wanted) in manifest.outputTypes.sorted(by: { $0.key < $1.key })
    where made.kind == "image" && made.types[type]?.boolValue != wanted {
      found.append(
        "`\(name)` is recorded with `\(type)` \(made.types[type]?.text() ?? "missing"), "
          + "\(manifest.identifier) declares \(wanted)")
    }
    return found
  }

  /// Something that was made, as it lies on the disk or in a bucket.
  private struct Made {
    var kind: String
    /// The type of the voxels of its finest level; nil for a table.
    let dataType: String?
    /// The types that Fractal filters by.
    let types: JSONObject
    /// The columns that a table names, its index first.
    let columns: [String]

    init(reading uri: String) throws(Fault) {
      let place = try StorePlace(uri)
      let store = place.store
      guard let group = try ZarrGroup.open(store, path: place.key) else {
        throw Fault(.missing, uri, "there is no Zarr group")
      }
      types = group.attributes["omtask"]?["types"]?.objectValue ?? JSONObject()
      let lists = ["metadata_columns", "measurement_columns"].map { group.attributes[$0] }
      columns =
        [group.attributes["index_key"]?.stringValue].compactMap(\.self)
        + lists.flatMap { ($0?.arrayValue ?? []).compactMap(\.stringValue) }
      let keys = group.attributes["ome"]?.objectValue ?? group.attributes
      guard let multiscales = keys["multiscales"]?.arrayValue?.first else {
        kind = group.attributes["table_version"] == nil ? "group" : "table"
        dataType = nil
        return
      }
      kind = keys["image-label"] == nil ? "image" : "label"
      let path = multiscales["datasets"]?.arrayValue?.first?["path"]?.stringValue ?? ""
      let level = joinedKey(place.key, try checkedKey(path, subject: uri))
      let array = try ZarrArray.open(store, path: level)
      dataType = array.metadata.dataType.rawValue
    }
  }
}
