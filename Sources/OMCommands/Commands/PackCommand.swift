import ArgumentParser
import OMImage
import OMJSON
import OMRun
import OMStore

/// `omtask pack`: makes one archive of an OME-Zarr.
struct PackCommand: Subcommand {
  static let configuration = CommandConfiguration(
    commandName: "pack",
    abstract: "Pack an OME-Zarr into one archive, an .ozx (RFC-9).",
    discussion: """
      The archive holds the files as they are, so it is read in place, by many processes at once. The \
      same files give the same bytes. Hidden files are left out. An archive is packed anew.
      """)

  @Argument(help: "The image, plate or collection: a folder, or an archive.")
  var uri: String

  @Argument(help: "The new archive; its name ends in .ozx.")
  var archive: String

  @Flag(help: "Replace an archive of this name, which stays whole until the new one is.")
  var overwrite = false

  @Flag(help: "Follow symbolic links that leave the image.")
  var followLinks = false

  @OptionGroup(title: "Running") var flags: WorkFlags

  @OptionGroup(title: "Limits") var limits: LimitFlags

  func run(in context: CommandContext) throws -> Int32 {
    try limits.apply()
    let place = try LocalPlace(try localPath(uri), followLinks: followLinks)
    let packing = ArchivePacking(flags.work(in: context), overwrites: overwrite)
    let report = try packing.pack(
      ImageLocation(store: place.store, path: place.key), to: try localPath(archive))
    let left = report.leftOut
    if !left.isEmpty {
      context.console.note("left out \(counted(left.count, "hidden file")), such as `\(left[0])`")
    }
    if report.unsharded > 0 {
      context.console.note(
        "\(counted(report.unsharded, "array")) without shards: RFC-9 recommends them; "
          + "`omtask run convert \(uri) --output NEW.ozx` makes an archive with shards")
    }
    context.console.note(
      "\(archive): \(counted(report.entries, "entry", "entries")), \(byteText(report.bytes))")
    return 0
  }
}

/// How files are made that stand on their own, and archives unpacked.
struct WorkFlags: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Worker threads; `auto` takes the CPUs that the job may use.", valueName: "n|auto"))
  var threads: ThreadSetting = .auto

  @Option(
    help: ArgumentHelp(
      "Wait this long for another process that makes the same, then end with exit code 75.",
      valueName: "seconds"))
  var lockWait = Seconds(60)

  /// What the flags say.
  func work(in context: CommandContext) -> SeparateWork {
    SeparateWork(
      threads: threads.count(in: context.environment), patience: Double(lockWait.count),
      warn: { context.console.warning($0) })
  }
}

/// The path of a local file or folder.
///
/// - Throws: A fault of kind `unsupported` for what lies elsewhere.
func localPath(_ uri: String) throws(Fault) -> String {
  try LocalPlace.path(
    of: uri, refusal: "archives and files are made on local disks only")
}
