import OMImage
import OMJSON
import OMStore

/// Small hierarchies in memory.
enum Examples {
  /// A `multiscales` entry with two levels of c, y, x.
  static let multiscale = #"""
    {"name": "cells", "axes": [
       {"name": "c", "type": "channel"},
       {"name": "y", "type": "space", "unit": "micrometer"},
       {"name": "x", "type": "space", "unit": "micrometer"}],
     "datasets": [
       {"path": "0", "coordinateTransformations": [
         {"type": "scale", "scale": [1, 0.50, 0.25]}, {"type": "translation", "translation": [0, 1.10, 2]}]},
       {"path": "1", "coordinateTransformations": [{"type": "scale", "scale": [1.0, 1.00, 0.5]}]}],
     "coordinateTransformations": [{"type": "scale", "scale": [9, 1e-3, 2]}]}
    """#

  /// The channels of the images.
  static let omero =
    #"{"channels": [{"label": "DAPI", "wavelength_id": "A01_C01"}, {"color": "FF0000"}]}"#

  /// A v2 array of this shape.
  static func array04(_ shape: String) -> String {
    #"""
    {"zarr_format": 2, "shape": \#(shape), "chunks": [1, 4, 4], "dtype": "<u2", "compressor": null,
     "fill_value": 0, "order": "C", "filters": null, "dimension_separator": "/"}
    """#
  }

  /// A v3 array of this shape.
  static func array05(_ shape: String, names: String = #"["c", "y", "x"]"#) -> String {
    #"""
    {"zarr_format": 3, "node_type": "array", "shape": \#(shape), "data_type": "uint16",
     "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1, 4, 4]}},
     "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
     "fill_value": 0, "attributes": {}, "dimension_names": \#(names),
     "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}]}
    """#
  }

  /// A v3 group with these attributes.
  static func group05(_ attributes: String) -> String {
    #"{"zarr_format": 3, "node_type": "group", "attributes": \#(attributes)}"#
  }

  /// The documents of an OME-Zarr 0.4 image.
  static func image04(_ path: String = "", multiscale: String = multiscale) -> [String: String] {
    below(
      path,
      [
        ".zgroup": #"{"zarr_format": 2}"#,
        ".zattrs": #"{"multiscales": [\#(multiscale)], "omero": \#(omero)}"#,
        "0/.zarray": array04("[2, 8, 8]"), "1/.zarray": array04("[2, 4, 4]"),
      ])
  }

  /// The documents of an OME-Zarr 0.5 image.
  static func image05(_ path: String = "", multiscale: String = multiscale) -> [String: String] {
    let ome = #"{"version": "0.5", "multiscales": [\#(multiscale)], "omero": \#(omero)}"#
    return below(
      path,
      [
        "zarr.json": group05(#"{"ome": \#(ome)}"#),
        "0/zarr.json": array05("[2, 8, 8]"), "1/zarr.json": array05("[2, 4, 4]"),
      ])
  }

  /// The documents of an OME-Zarr 0.5 plate with the wells B/03 (two images) and C/10 (one).
  static func plate05() -> [String: String] {
    let wells =
      #"{"path": "B/03", "rowIndex": 0, "columnIndex": 0}, {"path": "C/10", "rowIndex": 1, "columnIndex": 1}"#
    let images = #"{"path": "0", "acquisition": 1}, {"path": "1", "acquisition": 2}"#
    return [
      "zarr.json": group05(#"{"ome": {"version": "0.5", "plate": {"wells": [\#(wells)]}}}"#),
      "B/03/zarr.json": group05(#"{"ome": {"version": "0.5", "well": {"images": [\#(images)]}}}"#),
      "C/10/zarr.json": group05(
        #"{"ome": {"version": "0.5", "well": {"images": [{"path": "0", "acquisition": 1}]}}}"#),
    ].merging(image05("B/03/0") + image05("B/03/1") + image05("C/10/0")) { $1 }
  }

  /// The same documents with keys below a folder.
  static func below(_ path: String, _ documents: [String: String]) -> [String: String] {
    Dictionary(uniqueKeysWithValues: documents.map { (joinedKey(path, $0.key), $0.value) })
  }

  /// A store with these documents.
  static func store(_ documents: [String: String]) -> MemoryStore {
    MemoryStore(documents.mapValues { Array($0.utf8) })
  }

  /// The image at the root of these documents.
  static func open(_ documents: [String: String]) throws(Fault) -> OMEImage {
    try OMEImage.open(ImageLocation(store: store(documents), path: ""))
  }
}

/// The documents of both.
func + (left: [String: String], right: [String: String]) -> [String: String] {
  left.merging(right) { $1 }
}

/// The JSON of a text in a test.
func json(_ text: String) throws -> JSON { try JSON(parsing: Array(text.utf8), subject: "test") }
