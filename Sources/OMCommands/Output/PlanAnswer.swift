import OMGrid
import OMJSON
import OMRun

/// A plan for a person and for a program.
struct PlanAnswer: Answer {
  let plan: RunPlan

  /// The most images, and the most regions of a pass, that a person is shown.
  private static let listed = 12

  var lines: [String] {
    var lines = plan.images.prefix(Self.listed).flatMap(imageLines)
    if plan.images.count > Self.listed {
      lines.append("and \(plan.images.count - Self.listed) more images, `--json` lists all")
    }
    if !plan.programs.isEmpty { return lines + [""] + programLines }
    let spread = plan.splitsImages ? "regions are" : "whole images are"
    let free = plan.freeBytes.map { ", \(byteText($0)) free" } ?? ""
    return lines + [
      "",
      "\(spread) spread over \(counted(plan.ranks, "rank")) x \(counted(plan.threads, "thread"))",
      "reads    \(byteText(plan.bytesRead)) decoded",
      "writes   at most \(byteText(plan.bytesWritten)) before compression, "
        + "in at most \(counted(plan.files, "file"))\(free)",
      "memory   \(byteText(plan.memory)) per process",
    ] + (plan.job.map { ["job      \(text($0))"] } ?? [])
  }

  /// The job that is suggested, in words.
  private func text(_ job: JobSize) -> String {
    let size =
      "\(counted(job.processes, "process", "processes")) x \(counted(job.threads, "thread")), "
      + "\(byteText(job.memory)) each"
    return job.parts == job.processes && job.parts > 1 ? "\(size), as ranks or as parts" : size
  }

  /// What is known where a program reads and writes by itself.
  private var programLines: [String] {
    let what = plan.programs.count > 1 ? "items of the list" : "whole images"
    var lines: [String] = []
    if plan.splitsImages {
      lines.append(
        "\(what) are spread over \(counted(plan.ranks, "rank")) x \(counted(plan.threads, "thread"))"
      )
    }
    for program in plan.programs {
      let call = (program.words + ["--args-json FILE", "--out-json FILE"]).joined(separator: " ")
      lines += [
        "runs     \(call)", "         \(program.times); what it reads and writes is not known",
      ]
    }
    if plan.memory > 0 {
      lines.append("memory   \(byteText(plan.memory)) per process of omtask, by the manifest")
    }
    return lines
  }

  private func imageLines(_ image: ImagePlan) -> [String] {
    let facts = [shapeText(image.shape), image.dataType?.rawValue ?? ""].filter { !$0.isEmpty }
    var lines = [facts.isEmpty ? image.uri : "\(image.uri): \(facts.joined(separator: " "))"]
    if let note = image.note { lines.append("  \(note)") }
    for output in image.outputs where output.dataType == nil {
      lines.append("  makes \(output.uri): a table")
    }
    for output in image.outputs {
      guard let dataType = output.dataType else { continue }
      let shards = output.shardShape.map { ", shards \(shapeText($0))" } ?? ""
      lines.append(
        "  makes \(output.uri): \(dataType.rawValue), "
          + "\(counted(output.levelShapes.count, "level")), chunks \(shapeText(output.chunkShape))"
          + shards)
    }
    var shown: [String] = []
    for pass in image.passes {
      let regions = pass.regions.map { "\($0.output)  \($0.region)  rank \($0.owner)" }
      // Most passes of a task walk over the same regions with the same owners.
      let note = regions == shown ? ", the same" : ""
      lines.append("  \(pass.name): \(counted(pass.regions.count, "region"))\(note)")
      if regions != shown { lines += listed(regions) }
      shown = regions
    }
    return lines
  }

  private func listed(_ regions: [String]) -> [String] {
    let more = regions.count - Self.listed
    return regions.prefix(Self.listed).map { "    \($0)" }
      + (more > 0 ? ["    and \(more) more, `--json` lists all"] : [])
  }

  var json: JSON {
    var document: JSONObject = [
      "ranks": JSON(plan.ranks), "threads": JSON(plan.threads),
      "splits_images": .bool(plan.splitsImages), "memory": JSON(plan.memory),
      "bytes_read": JSON(plan.bytesRead), "bytes_written": JSON(plan.bytesWritten),
      "files": JSON(plan.files),
    ]
    if let job = plan.job {
      // Names that are unique in the document: job scripts find them without a reader of JSON.
      document["job"] = [
        "processes": JSON(job.processes), "threads_per_process": JSON(job.threads),
        "memory_per_process": JSON(job.memory), "parts": JSON(job.parts),
      ]
    }
    if let last = plan.programs.last {
      document["program"] = .array(last.words.map(JSON.string))
      if plan.programs.count > 1 {
        document["first_program"] = .array(plan.programs[0].words.map(JSON.string))
      }
    }
    if let free = plan.freeBytes { document["free_bytes"] = JSON(free) }
    document["warnings"] = .array(plan.warnings.map { .string($0) })
    document["images"] = .array(plan.images.map(imageJSON))
    return .object(document)
  }

  private func imageJSON(_ image: ImagePlan) -> JSON {
    var members: JSONObject = ["uri": .string(image.uri), "shape": sizes(image.shape)]
    if let type = image.dataType { members["data_type"] = .string(type.rawValue) }
    if let note = image.note { members["note"] = .string(note) }
    members["bytes_read"] = JSON(image.bytesRead)
    members["bytes_written"] = JSON(image.bytesWritten)
    members["files"] = JSON(image.files)
    members["outputs"] = .array(image.outputs.map(outputJSON))
    members["passes"] = .array(
      image.passes.map { pass in
        ["name": .string(pass.name), "regions": .array(pass.regions.map(regionJSON))]
      })
    return .object(members)
  }

  private func outputJSON(_ output: OutputPlan) -> JSON {
    var members: JSONObject = ["name": .string(output.name), "uri": .string(output.uri)]
    guard let dataType = output.dataType else {
      members["kind"] = .string(OutputReport.Kind.table.rawValue)
      return .object(members)
    }
    members["data_type"] = .string(dataType.rawValue)
    members["levels"] = .array(output.levelShapes.map(sizes))
    members["chunks"] = sizes(output.chunkShape)
    if let shards = output.shardShape { members["shards"] = sizes(shards) }
    return .object(members)
  }

  private func regionJSON(_ region: RegionPlan) -> JSON {
    [
      "output": .string(region.output), "origin": sizes(region.region.origin),
      "shape": sizes(region.region.shape), "owner": JSON(region.owner),
    ]
  }
}

/// A list of whole numbers in JSON.
func sizes(_ numbers: [Int]) -> JSON { .array(numbers.map { JSON($0) }) }
