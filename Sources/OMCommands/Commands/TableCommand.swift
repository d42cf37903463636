import ArgumentParser
import OMImage
import OMJSON

/// `omtask table`: a table of an image, or those of all images of a plate as one.
struct TableCommand: Subcommand {
  static let configuration = CommandConfiguration(
    commandName: "table",
    abstract: "Show a table of an image, or join those of all images of a plate or collection.",
    discussion: """
      Of a plate the rows of all its images follow each other in the order of the plate, behind the \
      columns plate, row, column, well and field; of a collection behind the column image. Images without \
      the table are named in a warning.
      """)

  @Argument(help: "The image, plate, well, collection or bioformats2raw group.")
  var uri: String

  @Argument(help: "The name of the table.")
  var name: String

  @Option(
    defaultAsFlag: "-",
    help: ArgumentHelp(
      "Write comma-separated text to this file; without one, and for `-`, to the standard output.",
      valueName: "[file]"))
  var csv: String?

  @Flag(help: "Answer with JSON: columns, rows, and the images without the table.")
  var json = false

  @Option(
    help: ArgumentHelp(
      "Only these wells of a plate, with `*` for any: `B/03,C/*`.", valueName: "wells"))
  var wells: String?

  @Flag(help: "Follow links, and paths of collections, that leave the image or folder.")
  var followLinks = false

  @OptionGroup(title: "Limits") var limits: LimitFlags

  func run(in context: CommandContext) throws -> Int32 {
    try limits.apply()
    if csv != nil && json {
      throw Fault(.usage, "", "`--csv` and `--json` are both given", hint: "take one of them")
    }
    let filter = try WellFilter(
      wells: wells?.split(separator: ",").map(String.init) ?? [], acquisition: nil)
    let source = try ImageSource.open(uri, filter: filter, followLinks: followLinks)
    let join = try TableJoin(name, of: source)
    if let csv {
      try write(join, to: csv, context)
    } else if json {
      try join.writeJSON(to: context.output)
    } else {
      try Output(context.output, .human).write(
        try TableAnswer(join, columns: context.output.columns))
    }
    tell(join.missing, context)
    // The answer is whole; the exit code says that a part of the plate cannot be read.
    if let fault = source.items.lazy.compactMap(\.fault).first { throw fault }
    return 0
  }

  private func write(_ join: TableJoin, to path: String, _ context: CommandContext) throws {
    if path == "-" { return try join.writeCSV(to: context.output) }
    let file = try GrowingFile(path: path, flag: "csv")
    try join.writeCSV(to: file)
    try file.finish()
  }

  /// Names the images without the table, the first of them one by one.
  private func tell(_ missing: [String], _ context: CommandContext) {
    for image in missing.prefix(TableCommand.told) {
      context.console.warning("\(image) has no table `\(name)`")
    }
    if missing.count > TableCommand.told {
      context.console.warning(
        "\(missing.count) images have no table `\(name)`, the first are named above")
    }
  }

  private static let told = 20
}
