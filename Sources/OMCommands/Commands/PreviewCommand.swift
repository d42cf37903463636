import ArgumentParser
import OMImage
import OMJSON
import OMStore

/// `omtask preview`: a picture of one plane of an image, with the outlines of labels on top.
struct PreviewCommand: Subcommand {
  static let configuration = CommandConfiguration(
    commandName: "preview",
    abstract: "Make a PNG of one plane of an image, with object outlines on top.",
    discussion: """
      The plane is the middle one along z at the first time point; contrast goes from the 1st to \
      the 99.8th percentile of the plane.
      """)

  @Argument(help: "The image.")
  var uri: String

  @Option(
    help: ArgumentHelp("Where the picture goes, `-` for standard output.", valueName: "file|-"))
  var png: String

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

  @OptionGroup(title: "Limits") var limits: LimitFlags

  func run(in context: CommandContext) throws -> Int32 {
    try limits.apply()
    guard 16...20_000 ~= width else {
      throw Fault(.usage, "", "`--width` is \(width), it must be 16 to 20000")
    }
    let file = png == "-" ? nil : try ResultFile(path: png, flag: "png")
    let image = try ReadTarget.openImage(uri, for: "preview")
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
}
