import ArgumentParser
import OMJSON
import OMRun

/// `omtask unpack`: makes a folder of an archive.
struct UnpackCommand: Subcommand {
  static let configuration = CommandConfiguration(
    commandName: "unpack",
    abstract: "Unpack an archive (.ozx or .zip) into a new folder.",
    discussion: """
      Every entry is compared with its checksum, and the folder appears when all of it is there. No \
      entry is written outside of the folder. Of a plate, `plate.ozx/A/1/0` unpacks one image.
      """)

  @Argument(help: "The archive, or a folder in it.")
  var archive: String

  @Argument(help: "The new folder.")
  var folder: String

  @OptionGroup(title: "Running") var flags: WorkFlags

  @OptionGroup(title: "Limits") var limits: LimitFlags

  func run(in context: CommandContext) throws -> Int32 {
    try limits.apply()
    let unpacking = ArchiveUnpacking(flags.work(in: context))
    let report = try unpacking.unpack(try localPath(archive), to: try localPath(folder))
    context.console.note(
      "\(folder): \(counted(report.files, "file")), \(byteText(report.bytes))")
    return 0
  }
}
