import ArgumentParser
import OMGrid
import OMImage
import OMJSON
import OMRun
import OMTiff
import OMZarr

/// `omtask export`: an image, a label image or a part of one as OME-TIFF.
struct ExportCommand: Subcommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write an image, a label image or a part of one as OME-TIFF, for Fiji.",
    discussion: """
      Axes, sizes of voxels, and names and colours of channels go along. The file has a page for each plane; \
      large planes are cut into tiles, and files of more than 4 GiB are BigTIFF.
      """)

  @Argument(help: "The image or label image.")
  var uri: String

  @Argument(help: "The new file; its name ends in .ome.tif.")
  var file: String

  @Option(help: ArgumentHelp("The level to write, 0 is the finest.", valueName: "n"))
  var level = 0

  @Option(
    help: ArgumentHelp("The part of the axes to write: `t=0:10,z=3`.", valueName: "axis=range"))
  var select: [String] = []

  @Option(
    help: ArgumentHelp(
      "How tiles are compressed; `none` is read by every program, `zstd` by few.",
      valueName: "deflate|zstd|none"))
  var compression: WrittenTiff.Compression = .deflate

  @Flag(help: "Replace a file of this name, which stays whole until the new one is.")
  var overwrite = false

  @OptionGroup(title: "Running") var flags: WorkFlags

  @OptionGroup(title: "Limits") var limits: LimitFlags

  func run(in context: CommandContext) throws -> Int32 {
    try limits.apply()
    let selection = try parseSelection(select)
    let image = try ReadTarget.openImage(uri, for: "export")
    guard image.levels.indices.contains(level) else {
      throw Fault(
        .usage, "", "`--level` is \(level), the image has levels 0 to \(image.levels.count - 1)")
    }
    let array = try image.array(level)
    let box = try selectedRegion(
      selection, axes: image.axes.map(\.letter), shape: array.metadata.shape)
    if box.isEmpty {
      throw Fault(.unsupported, image.location.displayName, "there is no voxel to write")
    }
    let export = TiffExport(
      flags.work(in: context), compression: compression, overwrites: overwrite)
    let report = try export.write(
      image, level: level, array, box, to: try localPath(file))
    context.console.note(
      "\(file): \(counted(report.pages, "page")), \(byteText(report.bytes))"
        + (report.isBig ? ", BigTIFF" : ""))
    return 0
  }
}

extension WrittenTiff.Compression: ExpressibleByArgument {}
