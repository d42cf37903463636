import OMGrid
package import OMJSON

// The document of a model, and the entry that fits a call best.

extension CostModel {
  private static let format = "omtask cost model"

  /// The model as a document.
  package var document: JSON {
    [
      "format": .string(Self.format), "version": JSON(Self.version),
      "program": .string(program), "host": .string(host), "processor": .string(processor),
      "cores": JSON(cores), "measured": .string(measured), "folder": .string(folder),
      "codecs": .array(
        codecs.map {
          [
            "codec": .string($0.name), "data_type": .string($0.dataType),
            "decode_bytes_per_s": JSON($0.decode), "encode_bytes_per_s": JSON($0.encode),
            "ratio": JSON($0.ratio),
          ]
        }),
      "files": [
        "create_s": JSON(files.create), "stat_s": JSON(files.stat), "sync_s": JSON(files.sync),
      ],
      "launch": [
        "process_s": JSON(launch.process), "alone_s": JSON(launch.alone),
        "ranks": .array(
          launch.ranks.map {
            ["ranks": JSON($0.ranks), "start_s": JSON($0.start), "run_s": JSON($0.run)]
          }),
      ],
      "tasks": .array(tasks.map(\.document)),
    ]
  }

  /// Reads a model.
  ///
  /// - Parameters:
  ///   - document: The document.
  ///   - subject: Its file, for messages.
  /// - Throws: `metadata` for a document that is none, or that has another version.
  package init(_ document: JSON, subject: String) throws(Fault) {
    let again = "`omtask bench` measures a new one"
    guard document["format"]?.stringValue == Self.format else {
      throw Fault(.metadata, subject, "is no cost model of omtask", hint: again)
    }
    guard let version = document["version"]?.intValue, version == Self.version else {
      let found = document["version"]?.intValue.map(String.init) ?? "none"
      throw Fault(
        .metadata, subject, "has the version \(found), this program reads \(Self.version)",
        hint: again)
    }
    guard let read = Self.read(document) else {
      throw Fault(.metadata, subject, "lacks some of the figures of a cost model", hint: again)
    }
    self = read
  }

  private static func read(_ document: JSON) -> CostModel? {
    var model = CostModel()
    guard let cores = document["cores"]?.intValue, cores > 0,
      let files = document["files"], let launch = document["launch"],
      let create = seconds(files, "create_s"), let stat = seconds(files, "stat_s"),
      let sync = seconds(files, "sync_s"),
      let process = seconds(launch, "process_s"), let alone = seconds(launch, "alone_s")
    else { return nil }
    model.cores = cores
    for (member, path) in [
      ("program", \CostModel.program), ("host", \.host), ("processor", \.processor),
      ("measured", \.measured), ("folder", \.folder),
    ] {
      model[keyPath: path] = document[member]?.stringValue ?? ""
    }
    (model.files.create, model.files.stat) = (create, stat)
    model.files.sync = sync
    (model.launch.process, model.launch.alone) = (process, alone)
    for entry in launch["ranks"]?.arrayValue ?? [] {
      guard let ranks = entry["ranks"]?.intValue, ranks > 0, let start = seconds(entry, "start_s"),
        let run = seconds(entry, "run_s")
      else { return nil }
      model.launch.ranks.append(RankCosts(ranks: ranks, start: start, run: run))
    }
    for entry in document["codecs"]?.arrayValue ?? [] {
      guard let name = entry["codec"]?.stringValue, let type = entry["data_type"]?.stringValue,
        let decode = seconds(entry, "decode_bytes_per_s"), decode > 0,
        let encode = seconds(entry, "encode_bytes_per_s"), encode > 0,
        let ratio = seconds(entry, "ratio")
      else { return nil }
      model.codecs.append(
        CodecCosts(name: name, dataType: type, decode: decode, encode: encode, ratio: ratio))
    }
    for entry in document["tasks"]?.arrayValue ?? [] {
      guard let costs = TaskCosts(entry) else { return nil }
      model.tasks.append(costs)
    }
    return model
  }

  /// A figure that is not negative.
  fileprivate static func seconds(_ json: JSON, _ name: String) -> Double? {
    json[name]?.doubleValue.flatMap { $0.isFinite && $0 >= 0 ? $0 : nil }
  }

  /// Takes the costs of a task, in place of earlier ones of the same call.
  package mutating func add(_ costs: TaskCosts) {
    tasks.removeAll {
      $0.task == costs.task && $0.parameters == costs.parameters && $0.dataType == costs.dataType
        && $0.codec == costs.codec
    }
    tasks.append(costs)
  }

  /// What one codec costs for voxels of a type, or what comes nearest.
  func codec(_ name: String, _ dataType: String) -> CodecCosts? {
    codecs.first { $0.name == name && $0.dataType == dataType }
      ?? codecs.first { $0.name == name } ?? codecs.first { $0.dataType == dataType }
  }
}

extension TaskCosts {
  /// The costs as a document.
  fileprivate var document: JSON {
    [
      "task": .string(task), "parameters": .object(parameters), "data_type": .string(dataType),
      "codec": .string(codec), "voxels": JSON(voxels), "decodings": JSON(decodings),
      "run_s": JSON(run), "image_s": JSON(image), "commit_s": JSON(commit),
      "sync_s": JSON(sync), "crowded_sync_s": JSON(crowdedSync),
      "between_s_per_voxel": JSON(between),
      "contention": JSON(contention), "written_bytes_per_voxel": JSON(written),
      "passes": .array(
        passes.map {
          [
            "pass": .string($0.name), "cpu_s_per_voxel": JSON($0.cpu),
            "wait_s_per_voxel": JSON($0.wait),
          ]
        }),
    ]
  }

  fileprivate init?(_ json: JSON) {
    let number = { CostModel.seconds(json, $0) }
    guard let task = json["task"]?.stringValue, let given = json["parameters"]?.objectValue,
      let type = json["data_type"]?.stringValue, let codec = json["codec"]?.stringValue,
      let voxels = json["voxels"]?.intValue, voxels > 0,
      let decodings = number("decodings"), decodings > 0, let run = number("run_s"),
      let image = number("image_s"), let commit = number("commit_s"),
      let sync = number("sync_s"), let crowdedSync = number("crowded_sync_s"),
      let between = number("between_s_per_voxel"),
      let contention = number("contention"), contention >= 1,
      let written = number("written_bytes_per_voxel")
    else { return nil }
    var passes: [PassCosts] = []
    for pass in json["passes"]?.arrayValue ?? [] {
      guard let name = pass["pass"]?.stringValue,
        let cpu = CostModel.seconds(pass, "cpu_s_per_voxel"),
        let wait = CostModel.seconds(pass, "wait_s_per_voxel")
      else { return nil }
      passes.append(PassCosts(name: name, cpu: cpu, wait: wait))
    }
    self.init(
      task: task, parameters: given, dataType: type, codec: codec, voxels: voxels,
      decodings: decodings, run: run, image: image, commit: commit, sync: sync,
      crowdedSync: crowdedSync, between: between, contention: contention, written: written,
      passes: passes)
  }
}
