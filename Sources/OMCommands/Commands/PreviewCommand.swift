import ArgumentParser
import OMImage
import OMJSON
import OMManifest
import OMRun
import OMStore

/// `omtask preview`: a picture of one plane of an image with the outlines of labels on top, or of what a
/// task would make of it.
struct PreviewCommand: Subcommand {
  static let configuration = CommandConfiguration(
    commandName: "preview",
    abstract: "Make a PNG of one plane of an image, or try a task on a part of it.",
    discussion: """
      The plane is the middle one along z at the first time point; contrast goes from the 1st to \
      the 99.8th percentile of the plane. With the name of a task in front of the image, the task is \
      tried on the finest level that is done in about a second, and nothing is written into the \
      image: labels become outlines, a derived image stands beside the image, and thresholds are \
      listed for all methods. `omtask preview TASK --help` shows the parameters of a task.
      """)

  @Argument(
    parsing: .allUnrecognized,
    help: ArgumentHelp(
      "The image; or a task, an image and the task's parameters as `--name value`.",
      valueName: "task uri ..."))
  var words: [String] = []

  @Option(
    help: ArgumentHelp("Where the picture goes, `-` for standard output.", valueName: "file|-"))
  var png: String?

  @Option(
    help: ArgumentHelp(
      "A label image whose objects are outlined; may be repeated.", valueName: "name"))
  var label: [String] = []

  @Option(
    help: ArgumentHelp(
      "Channels by label, wavelength id or index: one in grey, up to three in colour.",
      valueName: "channel,..."))
  var channel: String?

  @Option(help: ArgumentHelp("The plane along z, counted in the finest level.", valueName: "n"))
  var z: Int?

  @Option(help: ArgumentHelp("The time point.", valueName: "n"))
  var t: Int?

  @Option(
    help: ArgumentHelp(
      "The level to take; default: the finest that fits the width.", valueName: "n"))
  var level: Int?

  @Option(help: ArgumentHelp("The most pixels along a side.", valueName: "pixels"))
  var width: Int = 1500

  @Flag(help: "Try a task on the plane alone, and not on all planes of the level.")
  var plane = false

  @Option(
    help: ArgumentHelp(
      "Try a task on the boxes of this ROI table of the image only.", valueName: "name"))
  var roiTable: String?

  @Flag(help: "Answer with JSON: what a task was tried on, and the thresholds of all methods.")
  var json = false

  @OptionGroup(title: "Running") var resources: ResourceFlags
  @OptionGroup(title: "Running") var program: ProgramFlags

  @OptionGroup(title: "Limits") var limits: LimitFlags

  func run(in context: CommandContext) throws -> Int32 {
    try limits.apply()
    guard 16...20_000 ~= width else {
      throw Fault(.usage, "", "`--width` is \(width), it must be 16 to 20000")
    }
    if let name = words.first, let task = try task(name, context) {
      try PreviewTask(entry: task.entry, manifest: task.manifest, word: name, flags: taskFlags).run(
        Array(words.dropFirst()), context)
      return 0
    }
    let uri = try self.uri(context)
    guard let png else {
      throw Fault(
        .usage, "", "`--png` is missing", hint: "`omtask preview \(shownURI(uri)) --png FILE`")
    }
    let file = png == "-" ? nil : try ResultFile(path: png, flag: "png")
    let image = try ReadTarget.openImage(uri, for: "preview", axes: .inAnyOrder)
    let view = try PlaneView(image, level: level, z: z, t: t, width: width)
    let picture = try PreviewPainter(image: image, view: view).paint(
      channels: channelIndices(channel, of: image), labels: label)
    let bytes = try picture.png()
    if let file {
      try file.write(bytes)
      context.console.note(
        "\(png): \(picture.width) x \(picture.height) pixels, \(view.description)")
    } else {
      try bytes.withUnsafeBytes { try context.output.write($0) }
    }
    return 0
  }

  private var taskFlags: PreviewTask.Flags {
    var wish = PreviewWish()
    wish.level = level
    wish.time = t ?? 0
    wish.z = z
    wish.planeOnly = plane
    return PreviewTask.Flags(
      png: png, channel: channel, label: label, width: width, roiTable: roiTable, json: json,
      wish: wish, resources: resources, program: program)
  }

  /// The task that the first word names; nil when it names an image.
  private func task(_ name: String, _ context: CommandContext) throws(Fault) -> KnownTask? {
    // A manifest is followed by an image; alone it may be a collection of them.
    if TaskFile.isPlace(name) {
      let isManifest = words.count > 1 && TaskFile(name).path.hasSuffix(".json")
      return isManifest ? try context.catalogue.task(name) : nil
    }
    return try context.catalogue.everything().tasks.first { $0.manifest.identifier == name }
  }

  /// The image, where no task is named.
  private func uri(_ context: CommandContext) throws(Fault) -> String {
    if let flag = words.first(where: { $0.hasPrefix("-") && $0 != "-" }) {
      let known = try CommandDescription.ofProgram().subcommand("preview")?.flags ?? []
      let name = String(flag.drop { $0 == "-" }.prefix { $0 != "=" })
      throw Fault(
        .usage, "", "preview has no flag `\(flag)`",
        hint: nearestName(name, in: known).map { "did you mean `--\($0)`?" }
          ?? "`omtask preview --help` lists all")
    }
    guard words.count == 1, let uri = words.first else {
      let tasks = try context.catalogue.everything().tasks.map(\.manifest.identifier)
      let nearest = words.first.flatMap { nearestName($0, in: tasks) }
      throw Fault(
        .usage, "",
        words.isEmpty ? "`omtask preview` is given no image" : "there are \(words.count) images",
        hint: nearest.map { "did you mean the task `\($0)`?" }
          ?? "`omtask preview IMAGE.zarr --png FILE`")
    }
    if let stray = [
      ("--plane", plane), ("--roi-table", roiTable != nil), ("--json", json),
      ("--python", program.python != nil),
    ].first(where: { $0.1 }) {
      throw Fault(.usage, "", "`\(stray.0)` is given, but no task to try")
    }
    return uri
  }
}
