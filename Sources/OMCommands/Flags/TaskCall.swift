import ArgumentParser
import OMGrid
import OMImage
import OMJSON
import OMManifest
import OMRun
import OMTask

/// What `run`, `finalize` and `plan` share: everything that decides what is done, and with what.
struct TaskFlags: ParsableArguments {
  @Argument(
    parsing: .allUnrecognized,
    help: ArgumentHelp(
      "The task, then images, plates or wells, and the task's parameters as `--name value`.",
      valueName: "task uri ..."))
  var words: [String] = []

  @OptionGroup(title: "Input") var input: InputFlags
  @OptionGroup(title: "Output") var output: OutputFlags
  @OptionGroup(title: "Running") var resources: ResourceFlags
  @OptionGroup(title: "Running") var program: ProgramFlags
  @OptionGroup(title: "Machines") var arguments: ArgumentsFlags

  /// Whether the call reads the standard input.
  var readsStandardInput: Bool { [arguments.argsJSON, input.inputList].contains("-") }
}

/// A call of a task as a request, before threads and memory are known.
///
/// What the command line says wins over the args JSON, which wins over the manifest's defaults.
///
/// - Parameters:
///   - flags: The task and what was given to it.
///   - command: `run` or `plan`, for messages.
///   - context: Where the task is looked up.
/// - Returns: The request with its inputs, parameters and options.
/// - Throws: A fault of kind `usage`, or what reading a file named in the call gives.
func readTaskCall(
  _ flags: TaskFlags, command: String, _ context: CommandContext
) throws(Fault) -> RunRequest {
  try readWholeCall(flags, command: command, context).request
}

/// A call of a task with what only Fractal says of it.
struct WholeCall {
  var request: RunRequest
  /// Into how many parts images are to be cut; nil lets the program choose.
  let parts: Int?
  /// The parameters that were given, by a program or a person, as they were given.
  let given: JSONObject
}

/// As `readTaskCall`, for who wants to hand the call on.
func readWholeCall(
  _ flags: TaskFlags, command: String, _ context: CommandContext
) throws(Fault) -> WholeCall {
  let (entry, manifest) = try findTask(flags.words, command: command, context)
  let known = try CommandDescription.ofProgram().subcommand(command)?.flags ?? []
  let sorted = try ParameterWords(Array(flags.words.dropFirst()), manifest: manifest, flags: known)
  var arguments = try readArguments(flags, context)
  let fractal = try FractalArguments(
    from: &arguments, plans: command == "plan", isWhole: manifest.isWhole)
  let parameters = try entry.program.settle(
    ParameterBinder(manifest).bind(commandLine: sorted.values, arguments: arguments))
  let inputs = try readInputs(sorted.uris, flags.input, parameters, fractal.images, context)
  try checkInputs(inputs, flags, manifest, command: command)
  var options = RunOptions()
  options.select = try parseSelection(flags.input.select)
  options.roiTable = flags.input.roiTable
  options.output = flags.output.output ?? fractal.folder
  if let flag = flags.output.output, let folder = fractal.folder, flag != folder {
    throw Fault(.usage, "--output", "is `\(flag)`, and `zarr_dir` is `\(folder)`")
  }
  options.plainNames = flags.output.plainNames
  options.collection = flags.output.collection
  if manifest.parameters["overwrite"]?.type == .boolean {
    options.overwrite = try parameters.optional("overwrite") ?? false
  }
  options.wells = (flags.input.wells ?? "").split(separator: ",").map(String.init)
  options.acquisition = flags.input.acquisition
  // A mistake in the filter is found here, before any image is opened.
  _ = try WellFilter(wells: options.wells, acquisition: options.acquisition)
  options.onDamage = flags.input.onDamage
  options.followLinks = flags.input.followLinks
  options.surroundings.python = try flags.program.interpreter(of: entry, manifest)
  // A part that is all there is needs nobody to wait for.
  if let part = fractal.part, part.count > 1 { options.part = part }
  options.lastPartFinishes = true
  let request = RunRequest(
    entry: entry, manifest: manifest, parameters: parameters, inputs: inputs, options: options)
  var given = JSONObject()
  for name in parameters.given { given[name] = parameters.values[name] }
  return WholeCall(request: request, parts: fractal.parts, given: given)
}

/// Refuses a call without images of a task that takes some, and one with images of a task that does not.
private func checkInputs(
  _ inputs: [String], _ flags: TaskFlags, _ manifest: Manifest, command: String
) throws(Fault) {
  let name = manifest.identifier
  if manifest.takesImages {
    if !inputs.isEmpty { return }
    throw Fault(
      .usage, "", "\(name) is given no image", hint: "`omtask \(command) \(name) IMAGE.zarr`")
  }
  let hint = "`omtask \(command) \(name) --output DIR`: new images go into that folder"
  if let first = inputs.first {
    throw Fault(
      .usage, first, "\(name) is of the type `\(manifest.type)` and takes no image", hint: hint)
  }
  let input = flags.input
  let given = [
    ("--wells", input.wells != nil), ("--acquisition", input.acquisition != nil),
    ("--follow-links", input.followLinks),
  ]
  if let flag = given.first(where: \.1)?.0 {
    throw Fault(
      .usage, flag, "\(name) is of the type `\(manifest.type)` and takes no image", hint: hint)
  }
}

/// The task that the first word names.
private func findTask(
  _ words: [String], command: String, _ context: CommandContext
) throws(Fault) -> (entry: CatalogEntry, manifest: Manifest) {
  guard let name = words.first else {
    throw Fault(
      .usage, "", "`omtask \(command)` is given no task", hint: "`omtask tasks` lists all")
  }
  if name.hasPrefix("-") {
    throw Fault(
      .usage, "", "`\(name)` stands before the task",
      hint: "the task comes first: `omtask \(command) TASK URI … \(name) …`")
  }
  return try context.catalogue.task(name)
}

/// The object of `--args-json`; empty without the flag.
private func readArguments(
  _ flags: TaskFlags, _ context: CommandContext
) throws(Fault) -> JSONObject {
  guard let path = flags.arguments.argsJSON else { return [:] }
  if path == "-" && flags.input.inputList == "-" {
    throw Fault(.usage, "", "`--args-json -` and `--inputs -` both read standard input")
  }
  let document = try JSON(parsing: context.read(path), subject: path)
  guard let object = document.objectValue else {
    throw Fault(.usage, path, "holds \(document.kindName), expected an object of parameters")
  }
  return object
}

/// The images of the call, each once, in their order.
private func readInputs(
  _ uris: [String], _ input: InputFlags, _ parameters: Parameters, _ listed: [String],
  _ context: CommandContext
) throws(Fault) -> [String] {
  var all = uris + input.inputs
  if let list = input.inputList {
    let lines = String(decoding: try context.read(list), as: UTF8.self).split(
      whereSeparator: \.isNewline)
    all += lines.map { trimmed($0) }.filter { !$0.isEmpty && !$0.hasPrefix("#") }
  }
  if all.isEmpty { all = listed }
  if all.isEmpty, let url = parameters.reserved["zarr_url"]?.stringValue { all = [url] }
  var seen: Set<String> = []
  return all.filter { seen.insert($0).inserted }
}

/// The text without spaces around it.
private func trimmed(_ text: Substring) -> String {
  let start = text.drop { $0 == " " || $0 == "\t" }
  return String(start.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
}
