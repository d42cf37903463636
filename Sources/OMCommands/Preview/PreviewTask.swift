import OMImage
import OMJSON
import OMManifest
import OMRun
import OMStore
import OMTask

/// A call of `omtask preview TASK URI …`.
struct PreviewTask {
  /// What the flags of the command say.
  struct Flags {
    var png: String?
    var channel: String?
    var label: [String]
    var width: Int
    var roiTable: String?
    var json: Bool
    var wish: PreviewWish
    var resources: ResourceFlags
    var program: ProgramFlags
  }

  let entry: CatalogEntry
  let manifest: Manifest
  /// The task as it was written in the call: a name, or the path of its manifest.
  let word: String
  let flags: Flags

  /// Tries the task and shows what it gives.
  ///
  /// - Parameters:
  ///   - words: What follows the task and is no flag of the command.
  ///   - context: Where answers go.
  /// - Throws: A fault of kind `usage`, or what trying gives.
  func run(_ words: [String], _ context: CommandContext) throws {
    if flags.json && flags.png == "-" {
      throw Fault(.usage, "", "`--json` and `--png -` both write to standard output")
    }
    if manifest.traits.contract == .image {
      throw Fault(
        .usage, "",
        "\(manifest.identifier) does whole images by itself, there is no preview of it",
        hint: "run it on a small copy of the image")
    }
    let (uri, parameters) = try call(words)
    let image = try ReadTarget.openImage(uri, for: "preview")
    let shown = try channelIndices(takes("channel") ? nil : flags.channel, of: image)
    var wish = flags.wish
    if !takes("channel") { wish.channel = shown.count == 1 ? shown[0] : nil }
    var options = RunOptions()
    options.roiTable = flags.roiTable
    options.use(flags.resources, ranks: 1, context.environment)
    options.surroundings.python = try flags.program.interpreter(of: entry, manifest)
    let request = RunRequest(
      entry: entry, manifest: manifest, parameters: parameters, inputs: [uri], options: options)
    let watcher = StopWatcher(
      StopWatcher.Watch(), options.stop, context.console, context.environment)
    if context.ownsProcess { watcher.start() }
    defer { watcher.finish() }
    try options.stop.using(entry.program) {
      try show(try TaskPreview(request, image, wish), uri, image, shown, context)
    }
  }

  /// Makes the preview and tells of it.
  private func show(
    _ preview: TaskPreview, _ uri: String, _ image: OMEImage, _ shown: [Int],
    _ context: CommandContext
  ) throws {
    if flags.png == nil && !preview.comparesThresholds {
      throw Fault(
        .usage, "", "`--png` is missing",
        hint: "`omtask preview \(word) \(shownURI(uri)) --png FILE`")
    }
    var answer = PreviewAnswer(
      task: manifest.identifier, image: shownURI(uri), scope: preview.scope)
    if preview.comparesThresholds { answer.scopes = try preview.compareThresholds() }
    if let png = flags.png {
      try paint(preview, image, shown, png, &answer, context)
    }
    if flags.png == "-" {
      context.console.note(answer.lines)
    } else {
      try Output(context.output, flags.json ? .json : .human).write(answer)
    }
  }

  /// Whether the task has a parameter of this name: then the flag is meant for it.
  private func takes(_ name: String) -> Bool { manifest.parameters[name] != nil }

  /// The image and the parameters.
  private func call(_ words: [String]) throws(Fault) -> (uri: String, Parameters) {
    let known = try CommandDescription.ofProgram().subcommand("preview")?.flags ?? []
    var words = words
    if takes("channel"), let channel = flags.channel { words.insert("--channel=\(channel)", at: 0) }
    if takes("label") { words = flags.label.map { "--label=\($0)" } + words }
    let sorted = try ParameterWords(words, manifest: manifest, flags: known)
    let parameters = try ParameterBinder(manifest).bind(
      commandLine: sorted.values, arguments: [:])
    guard sorted.uris.count == 1, let uri = sorted.uris.first else {
      throw Fault(
        .usage, "", "there are \(sorted.uris.count) images, a task is tried on one",
        hint: "`omtask preview \(word) IMAGE.zarr --png FILE`")
    }
    return (uri, parameters)
  }

  private func paint(
    _ preview: TaskPreview, _ image: OMEImage, _ shown: [Int], _ png: String,
    _ answer: inout PreviewAnswer, _ context: CommandContext
  ) throws {
    let file = png == "-" ? nil : try ResultFile(path: png, flag: "png")
    let view = try PlaneView(
      image, level: preview.scope.level, z: flags.wish.z, t: flags.wish.time, width: flags.width)
    let channels = preview.channels.isEmpty ? shown : Array(preview.channels.prefix(3))
    let painter = PreviewPainter(image: image, view: view)
    let labels = takes("label") ? [] : flags.label
    let picture = try TemporaryFolder.with(
      in: ScratchFolder(context.environment).path, for: "preview", preview.stop
    ) { folder in
      let outputs = try preview.make(
        at: "\(folder)/result.zarr", observer: PreviewListener(console: context.console))
      answer.outputs = outputs
      return try TaskPicture(painter: painter, channels: channels, labels: labels).paint(
        outputs, firstChannels: preview.firstChannels)
    }
    let bytes = try picture.png()
    guard let file else { return try bytes.withUnsafeBytes { try context.output.write($0) } }
    try file.write(bytes)
    context.console.note("\(png): \(picture.width) x \(picture.height) pixels, \(view.description)")
  }
}

/// Hears of the run of a preview.
private struct PreviewListener: RunObserver {
  let console: Console

  func handle(_ event: RunEvent) {
    if case .warning(let text) = event { console.warning(text) }
  }
}
