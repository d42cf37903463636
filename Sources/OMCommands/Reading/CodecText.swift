import OMJSON
import OMZarr

/// The codecs of an array in words: `transpose, bytes, blosc(zstd 3)`.
///
/// They are taken from the document, so that what a foreign writer put there is shown as it is.
func codecText(_ metadata: ArrayMetadata) -> String {
  let document = metadata.document
  if metadata.zarrFormat == 2 {
    let filters = document["filters"]?.arrayValue ?? []
    let order = document["order"]?.stringValue == "F" ? ["order F"] : []
    let compressor = [document["compressor"] ?? .null].filter { $0 != .null }
    let codecs = (filters + compressor).map { text($0["id"]?.stringValue, $0) }
    return listed(order + codecs)
  }
  var codecs = document["codecs"]?.arrayValue ?? []
  if let sharding = codecs.first(where: { $0["name"]?.stringValue == "sharding_indexed" }) {
    codecs = sharding["configuration"]?["codecs"]?.arrayValue ?? []
  }
  return listed(codecs.map { text($0["name"]?.stringValue, $0["configuration"] ?? .null) })
}

private func listed(_ codecs: [String]) -> String {
  codecs.isEmpty ? "none" : codecs.joined(separator: ", ")
}

/// A codec with its compressor and level, where it has them.
private func text(_ name: String?, _ configuration: JSON) -> String {
  let compressor = configuration["cname"]?.stringValue
  let level = configuration["clevel"] ?? configuration["level"]
  let details = [compressor, level?.intValue.map { "\($0)" }].compactMap { $0 }
  let shown = name ?? "unnamed"
  return details.isEmpty ? shown : "\(shown)(\(details.joined(separator: " ")))"
}
