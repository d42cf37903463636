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
  let codecs = document["codecs"]?.arrayValue ?? []
  // Where sharding stands alone its codecs are those of the array.
  let inner = codecs.count == 1 ? innerCodecs(codecs[0]) : nil
  return listed((inner ?? codecs).map(v3Text))
}

/// The codecs of the inner chunks; nil for a codec that makes no shards.
private func innerCodecs(_ codec: JSON) -> [JSON]? {
  guard codec["name"]?.stringValue == "sharding_indexed" else { return nil }
  return codec["configuration"]?["codecs"]?.arrayValue ?? []
}

/// A codec of v3; one that makes shards with the codecs of their inner chunks.
private func v3Text(_ codec: JSON) -> String {
  if let inner = innerCodecs(codec) {
    return "sharding_indexed(\(listed(inner.map(v3Text))))"
  }
  return text(codec.stringValue ?? codec["name"]?.stringValue, codec["configuration"] ?? .null)
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
