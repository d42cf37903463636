import ArgumentParser
import OMGrid
import OMImage
import OMJSON
import OMStore
import OMZarr

/// `omtask info`: what an image, a plate or an array is.
struct InfoCommand: Subcommand {
  static let configuration = CommandConfiguration(
    commandName: "info",
    abstract: "Show what an image, plate, collection or array is and how it is stored.")

  @Argument(help: "The image, plate, well, collection, label image or array.")
  var uri: String

  @Flag(help: "Answer with JSON.")
  var json = false

  @OptionGroup(title: "Limits") var limits: LimitFlags

  func run(in context: CommandContext) throws -> Int32 {
    try limits.apply()
    let output = Output(context.output, json ? .json : .human)
    switch try ReadTarget.open(uri, axes: .any) {
    case .image(let image): try output.write(ImageAnswer(image))
    case .collection(let source):
      try output.write(CollectionAnswer(uri: shownURI(uri), source: source))
      // The answer is whole; the exit code says that a part of the plate cannot be read.
      if let fault = source.items.lazy.compactMap(\.fault).first { throw fault }
    case .scene(let scene): try output.write(SceneAnswer(scene: scene))
    case .array(let array):
      try output.write(ArrayAnswer(uri: shownURI(uri), array: NamedArray(array)))
    }
    return 0
  }
}

/// What `omtask info` tells about a single array.
private struct ArrayAnswer: Answer {
  let uri: String
  let axes: [String]
  let facts: ArrayFacts

  init(uri: String, array: NamedArray) throws(Fault) {
    self.uri = uri
    axes = array.axes
    facts = try ArrayFacts(array.array, path: "")
  }

  var lines: [String] {
    [
      "\(uri): Zarr v\(facts.metadata.zarrFormat) array",
      "  axes      \(axes.joined(separator: ", "))",
      "  size      \(shapeText(facts.metadata.shape)) voxels, \(facts.metadata.dataType.rawValue)",
      "  stored    \(facts.line)",
    ]
  }

  var json: JSON {
    var document: JSONObject = [
      "kind": "array", "uri": .string(uri), "axes": .array(axes.map { .string($0) }),
    ]
    for (key, value) in facts.members.members where key != "path" { document[key] = value }
    return .object(document)
  }
}
