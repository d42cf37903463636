import OMJSON
import OMRun

/// What trying a task gave, for a person and for a program.
struct PreviewAnswer: Answer {
  let task: String
  let image: String
  let scope: PreviewScope
  /// What the ways to choose a threshold give.
  var scopes: [ComparedScope] = []
  /// What was made.
  var outputs: [OutputReport] = []

  private var place: String {
    let parts = [
      "level \(scope.level)", scope.time.map { "t=\($0)" }, scope.plane.map { "z=\($0) only" },
      scope.channel.map { "c=\($0)" },
    ]
    return parts.compactMap(\.self).joined(separator: ", ")
  }

  var lines: [String] {
    var lines = ["\(task) on \(image): \(place), \(counted(scope.voxels, "voxel"))"]
    // A derived image of one plane is what a run gives there: its kernel sees the planes around.
    let ofPlane = scope.plane != nil && outputs.allSatisfy { $0.kind == .label }
    if scope.level > 0 {
      lines.append("a run looks at the finer voxels of level 0: what it finds may differ")
    } else if ofPlane {
      lines.append("a run looks at all planes: what it finds may differ")
    }
    for scope in scopes { lines += table(scope) }
    for output in outputs {
      guard let objects = output.objects else { continue }
      lines.append("\(output.name): \(counted(objects, "object"))")
    }
    return lines
  }

  private func table(_ scope: ComparedScope) -> [String] {
    let name = [scope.output, scope.scope].filter { !$0.isEmpty }.joined(separator: " ")
    let width = scope.rows.map(\.method.count).max() ?? 0
    let rows = scope.rows.map { row -> String in
      let mark = row.isChosen ? "* " : "  "
      let method = row.method + String(repeating: " ", count: width - row.method.count)
      switch row.threshold {
      case .failure(let fault): return "\(mark)\(method)  \(fault.message)"
      case .success(let value):
        let share = row.share.map { "  \(percent($0)) foreground" } ?? ""
        return "\(mark)\(method)  \(padded(number(value), 14))\(share)"
      }
    }
    return ["", "\(name): \(counted(scope.voxels, "voxel"))"] + rows
  }

  private func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : "\(value)"
  }

  private func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  private func percent(_ share: Double) -> String {
    let tenths = Int((share * 1000).rounded())
    return padded("", 5 - "\(tenths / 10).\(tenths % 10)".count) + "\(tenths / 10).\(tenths % 10) %"
  }

  var json: JSON {
    var place: JSONObject = ["level": JSON(scope.level), "voxels": JSON(scope.voxels)]
    if let time = scope.time { place["t"] = JSON(time) }
    if let plane = scope.plane { place["z"] = JSON(plane) }
    if let channel = scope.channel { place["c"] = JSON(channel) }
    var document: JSONObject = [
      "task": .string(task), "image": .string(image), "part": .object(place),
    ]
    if !scopes.isEmpty { document["thresholds"] = .array(scopes.map(json)) }
    if !outputs.isEmpty {
      document["outputs"] = .array(
        outputs.map { output in
          var entry: JSONObject = [
            "name": .string(output.name), "kind": .string(output.kind.rawValue),
          ]
          if let objects = output.objects { entry["objects"] = JSON(objects) }
          return .object(entry)
        })
    }
    return .object(document)
  }

  private func json(_ scope: ComparedScope) -> JSON {
    let methods = scope.rows.map { row -> JSON in
      var entry: JSONObject = ["method": .string(row.method), "chosen": .bool(row.isChosen)]
      switch row.threshold {
      case .failure(let fault): entry["error"] = .string(fault.message)
      case .success(let value):
        entry["threshold"] = JSON(value)
        if let share = row.share { entry["foreground_share"] = JSON(share) }
      }
      return .object(entry)
    }
    return [
      "output": .string(scope.output), "scope": .string(scope.scope),
      "voxels": JSON(scope.voxels), "methods": .array(methods),
    ]
  }
}
