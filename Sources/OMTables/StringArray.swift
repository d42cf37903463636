import OMCodecs
import OMGrid
import OMJSON

/// Zarr arrays of texts, which hold no voxels: Zarr v3 calls their type `string`, v2 `|O` with a
/// filter; both pack a chunk in the same way.
enum StringArray {
  /// The metadata documents of an array of texts along one axis.
  static func documents(
    zarrFormat: Int, count: Int, chunk: Int, _ compression: Compression
  ) -> [(name: String, document: JSON)] {
    let attributes = JSON.object(AnnDataWriter.encoding("string-array", "0.2.0"))
    if zarrFormat == 2 {
      let document: JSON = [
        "zarr_format": 2, "shape": [JSON(count)], "chunks": [JSON(chunk)], "dtype": "|O",
        "compressor": compression.v2Compressor(), "fill_value": "", "order": "C",
        "filters": [["id": "vlen-utf8"]], "dimension_separator": "/",
      ]
      return [(".zattrs", attributes), (".zarray", document)]
    }
    // What compresses is the same as for numbers; what packs is another codec.
    let codecs = compression.v3Codecs(.uint8).arrayValue?.dropFirst() ?? []
    let document: JSON = [
      "zarr_format": 3, "node_type": "array", "shape": [JSON(count)], "data_type": "string",
      "chunk_grid": ["name": "regular", "configuration": ["chunk_shape": [JSON(chunk)]]],
      "chunk_key_encoding": ["name": "default", "configuration": ["separator": "/"]],
      "fill_value": "", "codecs": .array([["name": "vlen-utf8"]] + codecs),
      "attributes": attributes,
    ]
    return [("zarr.json", document)]
  }

  /// The bytes of a chunk: how many texts, then each behind its length, numbers of 4 bytes.
  static func packed(_ texts: [String], filling count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    func add(_ number: Int) {
      withUnsafeBytes(of: UInt32(truncatingIfNeeded: number).littleEndian) { bytes += $0 }
    }
    add(count)
    for text in texts {
      add(text.utf8.count)
      bytes += Array(text.utf8)
    }
    for _ in texts.count..<max(count, texts.count) { add(0) }
    return bytes
  }

  /// Reads what `packed` wrote.
  ///
  /// - Throws: `codec` when the bytes hold no such texts.
  static func texts(in bytes: [UInt8]) throws(Fault) -> [String] {
    var offset = 0
    func number() throws(Fault) -> Int {
      guard offset + 4 <= bytes.count else { throw damaged(bytes.count) }
      defer { offset += 4 }
      return bytes[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
    var texts: [String] = []
    for _ in 0..<(try number()) {
      let length = try number()
      guard length <= bytes.count - offset else { throw damaged(bytes.count) }
      texts.append(String(decoding: bytes[offset..<offset + length], as: UTF8.self))
      offset += length
    }
    return texts
  }

  private static func damaged(_ count: Int) -> Fault {
    Fault(.codec, "", "the \(count) bytes of a chunk end within a text")
  }
}
