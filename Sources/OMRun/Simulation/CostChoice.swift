package import OMCodecs
import OMGrid
import OMJSON
import OMManifest
import OMZarr

/// The measured costs that fit a call best, and what differs from what was measured.
struct CostChoice {
  /// The costs, with the codec of the image in place of the measured one.
  var costs: TaskCosts
  /// What differs, in words; empty when it was measured so.
  var differences: [String]

  /// Finds the costs of a task for images of one kind.
  ///
  /// - Throws: `usage` when the model has none of the task.
  init(_ request: RunRequest, of source: ZarrArray, in model: CostModel) throws(Fault) {
    let task = request.manifest.identifier
    let (type, codec) = (
      source.metadata.dataType.rawValue, codecName(source.metadata.compression)
    )
    let known = model.tasks.filter { $0.task == task }
    let rated = known.map { costs in
      (costs, CostChoice.differences(costs, request, type: type, codec: codec))
    }
    guard let best = rated.min(by: { $0.1.count < $1.1.count }) else {
      throw Fault(
        .usage, "", "the cost model has no figures of \(task)",
        hint: "`omtask bench \(task) IMAGE …` measures them on a part of the image")
    }
    (costs, differences) = best
    adapt(to: codec, type, model)
  }

  private static func differences(
    _ costs: TaskCosts, _ request: RunRequest, type: String, codec: String
  ) -> [String] {
    var differences: [String] = []
    for declaration in request.manifest.parameters.userDeclarations {
      // Names of channels and of what is made change no cost.
      let isName = declaration.choices.isEmpty && [.string, .strings].contains(declaration.type)
      if isName || !declaration.changesResult { continue }
      let (own, other) = (
        request.parameters.values[declaration.name] ?? .null,
        costs.parameters[declaration.name] ?? .null
      )
      if own != other { differences.append("`\(declaration.name)` \(other.text())") }
    }
    if costs.dataType != type { differences.append("voxels of type \(costs.dataType)") }
    if costs.codec != codec { differences.append("chunks of \(costs.codec)") }
    return differences
  }

  /// Exchanges what decoding cost for what it costs with another codec or type.
  private mutating func adapt(to codec: String, _ type: String, _ model: CostModel) {
    if costs.codec == codec && costs.dataType == type { return }
    guard let old = model.codec(costs.codec, costs.dataType), let new = model.codec(codec, type),
      let oldSize = DataType(rawValue: costs.dataType)?.byteCount,
      let newSize = DataType(rawValue: type)?.byteCount
    else { return }
    let looks = max(1, costs.passes.count)
    let change =
      costs.decodings / Double(looks)
      * (Double(newSize) / new.decode - Double(oldSize) / old.decode)
    for index in costs.passes.indices {
      // Voxels that are looked at take some time at least.
      costs.passes[index].cpu = max(costs.passes[index].cpu / 4, costs.passes[index].cpu + change)
    }
  }
}

/// What a codec is called in a cost model: `blosc-zstd`, `zstd`, `gzip`, `none`.
package func codecName(_ compression: Compression) -> String {
  switch compression {
  case .none: "none"
  case .blosc(let options): "blosc-\(options.compressor)"
  case .zstd: "zstd"
  case .gzip, .zlib: "gzip"
  }
}
