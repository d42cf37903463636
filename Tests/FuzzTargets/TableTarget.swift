import OMImage
import OMJSON
import OMStore
import OMTables

extension FuzzTarget {
  /// The documents and chunks of a table below `tables/t`: keys and values in turn.
  ///
  /// A value that begins with `x` is written in hexadecimal digits: chunks have zero bytes.
  static let table = FuzzTarget(
    "table",
    refusals: [
      .json, .metadata, .limit, .unsupported, .path, .missing, .truncated, .codec, .checksum,
    ]
  ) { bytes in
    let store = MemoryStore()
    var input = FuzzInput(bytes)
    while !input.isEmpty {
      let key = input.text()
      let value = input.part()
      let isHexadecimal = value.first == UInt8(ascii: "x")
      store["tables/t/\(key)"] = isHexadecimal ? decoded(value.dropFirst()) : value
    }
    let found = try TableReader(ImageLocation(store: store, path: "")).read("t")
    guard let found else { return }
    // What was read can be written as text, whatever its names and texts are.
    var text = CSVText(found).bytes[...]
    try promise(text.popLast() == 0x0A, "the last line of a table does not end")
  }
}

/// The bytes that pairs of hexadecimal digits stand for; what is no digit counts as 0.
private func decoded(_ digits: ArraySlice<UInt8>) -> [UInt8] {
  let values = digits.map { UInt8(Character(Unicode.Scalar($0)).hexDigitValue ?? 0) }
  return stride(from: 0, to: values.count - values.count % 2, by: 2).map {
    values[$0] << 4 | values[$0 + 1]
  }
}
