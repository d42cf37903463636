import OMJSON
import OMRun

/// What `omtask bench` measured.
struct ModelAnswer: Answer {
  let model: CostModel
  let path: String

  var lines: [String] {
    var lines = [
      "\(model.host): \(model.processor), \(counted(model.cores, "core")), \(model.measured)", "",
      "codec       type      decodes   encodes  ratio",
    ]
    for codec in model.codecs {
      lines.append(
        left(codec.name, 11) + " " + left(codec.dataType, 7)
          + right(byteText(codec.decode) + "/s", 12) + right(byteText(codec.encode) + "/s", 12)
          + right(fixed(codec.ratio, 1), 7))
    }
    lines += [
      "",
      "files       \(microseconds(model.files.create)) to make one, "
        + "\(microseconds(model.files.stat)) to look for one, "
        + "\(microseconds(model.files.sync)) until it is on the disk",
      "start       \(durationText(model.launch.process)) for one process"
        + model.launch.ranks.map { ", \(durationText($0.start)) for \(counted($0.ranks, "rank"))" }
        .joined(),
      "",
    ]
    for task in model.tasks {
      let passes = task.passes.map {
        "\($0.name) \(fixed(1e9 * ($0.cpu + $0.wait), 2))"
      }
      lines.append(
        "\(task.task) (\(task.dataType), \(task.codec)): \(passes.joined(separator: ", ")) "
          + "ns for each voxel")
    }
    return lines + ["", "written to \(path)"]
  }

  private func left(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  private func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }

  private func microseconds(_ seconds: Double) -> String { "\(fixed(1e6 * seconds, 0)) us" }

  var json: JSON { model.document }
}
