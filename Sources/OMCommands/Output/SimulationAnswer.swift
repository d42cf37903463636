import OMJSON
import OMRun

/// What runs on some numbers of ranks would take, for a person and for a program.
struct SimulationAnswer: Answer {
  let task: String
  let simulations: Simulations
  let model: CostModel

  var lines: [String] {
    let runs = simulations.runs
    var lines = [
      "\(task) on \(counted(simulations.images, "image")), as on \(model.host) "
        + "(\(model.processor), \(counted(model.cores, "core")), measured \(model.measured.prefix(10)))",
      "",
    ]
    lines += runs.count == 1 ? details(runs[0]) : table(runs)
    return lines + simulations.notes.map { "note: \($0)" }
  }

  /// A line for each number of ranks; bytes are those of the rank that has most.
  private func table(_ runs: [Simulation]) -> [String] {
    [
      Self.row([
        "ranks", "nodes", "makespan", "speed-up", "imbalance", "read/rank", "written/rank",
        "memory/rank", "metadata",
      ])
    ]
      + runs.map { run in
        Self.row([
          grouped(run.ranks), grouped(run.nodes), durationText(run.makespan),
          fixed((runs.first?.makespan ?? 0) / max(1e-9, run.makespan), 1), fixed(run.imbalance, 2),
          byteText(run.read.most), byteText(run.written.most), byteText(run.memory),
          grouped(run.metadata.sum),
        ])
      }
  }

  private static let widths = [6, 7, 12, 10, 11, 11, 14, 13, 11]

  private static func row(_ cells: [String]) -> String {
    zip(cells, widths).map { String(repeating: " ", count: max(0, $1 - $0.count)) + $0 }.joined()
  }

  private func details(_ run: Simulation) -> [String] {
    let stages = run.stages.map { "\($0.name) \(durationText($0.seconds))" }
    let operations = run.metadata
    return [
      "makespan \(durationText(run.makespan)) on \(counted(run.ranks, "rank")) x "
        + "\(counted(run.threads, "thread")), \(counted(run.nodes, "node")), "
        + "imbalance \(fixed(run.imbalance, 2))",
      "start    \(durationText(run.start))", "run      \(stages.joined(separator: ", "))",
      "busy     \(durationText(run.busy.least)) to \(durationText(run.busy.most)) for each rank, "
        + "\(durationText(run.busy.mean)) in the mean",
      "reads    \(spread(run.read)) decoded for each rank",
      "writes   \(spread(run.written)) before compression for each rank",
      "metadata \(counted(operations.creates, "file")) and "
        + "\(counted(operations.folders, "folder")) made, \(grouped(operations.renames)) renamed, "
        + "\(grouped(operations.opens)) opened, \(grouped(operations.stats)) looked for; "
        + "one rank at most \(grouped(run.mostMetadata))",
      "memory   \(byteText(run.memory)) for each rank, "
        + "\(byteText(run.memory * run.ranksPerNode)) on each node",
    ]
  }

  private func spread(_ spread: Spread) -> String {
    "\(byteText(spread.least)) to \(byteText(spread.most)), \(byteText(spread.mean)) in the mean,"
  }

  var json: JSON {
    [
      "task": .string(task), "images": JSON(simulations.images),
      "model": [
        "host": .string(model.host), "processor": .string(model.processor),
        "cores": JSON(model.cores), "measured": .string(model.measured),
      ],
      "notes": .array(simulations.notes.map(JSON.string)),
      "runs": .array(simulations.runs.map(document)),
    ]
  }

  private func document(_ run: Simulation) -> JSON {
    var stages = JSONObject()
    for stage in run.stages { stages[stage.name] = JSON(stage.seconds) }
    return [
      "ranks": JSON(run.ranks), "threads": JSON(run.threads), "nodes": JSON(run.nodes),
      "ranks_per_node": JSON(run.ranksPerNode), "splits_images": .bool(run.splitsImages),
      "makespan": JSON(run.makespan), "start": JSON(run.start), "run": JSON(run.run),
      "stages": .object(stages), "imbalance": JSON(run.imbalance), "busy": json(run.busy),
      "bytes_read": json(run.read), "bytes_written": json(run.written),
      "metadata": [
        "creates": JSON(run.metadata.creates), "folders": JSON(run.metadata.folders),
        "renames": JSON(run.metadata.renames),
        "opens": JSON(run.metadata.opens), "stats": JSON(run.metadata.stats),
        "of_one_rank": JSON(run.mostMetadata),
      ],
      "memory": ["rank": JSON(run.memory), "node": JSON(run.memory * run.ranksPerNode)],
    ]
  }

  private func json(_ spread: Spread) -> JSON {
    [
      "min": JSON(spread.least), "mean": JSON(spread.mean), "max": JSON(spread.most),
      "sum": JSON(spread.sum),
    ]
  }
}
