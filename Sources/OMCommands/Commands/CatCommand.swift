import ArgumentParser
import OMGrid
import OMImage
import OMJSON
import OMStore
import OMZarr

/// `omtask cat`: voxels on standard output.
struct CatCommand: Subcommand {
  static let configuration = CommandConfiguration(
    commandName: "cat",
    abstract: "Write the voxels of an image, a level, a label image or an array.",
    discussion: """
      The voxels are raw, in C order and little-endian; of an image it is the finest level.
      """)

  @Argument(help: "The image, the level of an image, the label image or the array.")
  var uri: String

  @Option(
    help: ArgumentHelp(
      """
      The part of the axes to write: `t=0:10,z=3`. An array without axis names numbers them from 0.
      """,
      valueName: "axis=range"))
  var select: [String] = []

  @Flag(help: "Begin with the header of a `.npy` file.")
  var npy = false

  @OptionGroup(title: "Limits") var limits: LimitFlags

  func run(in context: CommandContext) throws -> Int32 {
    try limits.apply()
    let selection = try parseSelection(select)
    if context.output.isTerminal {
      throw Fault(
        .usage, "", "voxels would go to the terminal",
        hint: "`omtask cat \(shownURI(uri)) --npy > voxels.npy`")
    }
    let source: NamedArray
    switch try ReadTarget.open(uri, axes: .any) {
    case .array(let array): source = NamedArray(array)
    case .image(let image): source = try NamedArray(finestOf: image)
    case .collection(let images): throw ReadTarget.needsOneImage(images, uri, for: "cat")
    case .scene(let scene): throw scene.refusal
    }
    let metadata = source.array.metadata
    let region = try selectedRegion(selection, axes: source.axes, shape: metadata.shape)
    if npy {
      try npyHeader(shape: region.shape, dataType: metadata.dataType).withUnsafeBytes {
        try context.output.write($0)
      }
    }
    try VoxelStream(source.array, to: context.output).write(region)
    return 0
  }
}
