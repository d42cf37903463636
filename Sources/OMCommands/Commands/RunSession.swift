import Glibc
import OMJSON
import OMManifest
import OMRun
import OMTask

/// One run with everybody who wants to hear of it: a person, an engine, Fractal.
struct RunSession {
  let request: RunRequest
  let console: Console
  let progress: ProgressSetting
  let report: ResultFile?
  let outJSON: ResultFile?
  let events: EventWriter?

  /// The most failed images that are told one by one; the report has them all.
  private static let listedFailures = 20

  /// Makes sure that everything asked for can be written; nothing but the events file is made.
  ///
  /// - Parameters:
  ///   - request: The run.
  ///   - machine: What programs want to read.
  ///   - context: Where events and messages go.
  ///   - speaks: Whether this rank tells about the run.
  /// - Throws: A fault that names the file that cannot be written.
  init(
    _ request: RunRequest, _ machine: MachineFlags, _ context: CommandContext, speaks: Bool
  ) throws(Fault) {
    self.request = request
    console = context.console
    progress = machine.progress
    let file = { (path: String?, flag: String) throws(Fault) -> ResultFile? in
      guard speaks, let path else { return nil }
      return try ResultFile(path: path, flag: flag)
    }
    report = try file(machine.report, "report")
    outJSON = try file(machine.outJSON, "out-json")
    guard speaks, let path = machine.events else {
      events = nil
      return
    }
    let sink: any ByteSink = path == "-" ? context.output : try LineFile(path: path)
    events = EventWriter(sink, task: request.manifest.identifier)
  }

  /// Runs on these ranks and tells what became of it.
  ///
  /// *Collective*.
  ///
  /// - Returns: The exit code, the same on all ranks.
  func run(on ranks: Ranks) throws(Fault) -> Int32 {
    let listener = RunListener(
      console: console, meter: ProgressMeter(progress, console), events: events)
    do {
      return try request.options.stop.using(request.entry.program) {
        let report = try execute(request, communicator: ranks.communicator, observer: listener)
        return try ranks.end(with: ranks.communicator.rank == 0 ? tell(report) : 0)
      }
    } catch {
      let fault = Fault(wrapping: error)
      listener.stop(with: fault)
      throw fault
    }
  }

  /// Tells the person and the programs; the out-json comes last, for it means success.
  ///
  /// - Returns: The exit code, that of a file that could not be written if need be.
  private func tell(_ result: RunReport) -> Int32 {
    var failures = Summary.failures(of: result)
    let document = ReportJSON.document(
      result, task: request.manifest.identifier, parameters: request.parameters)
    do throws(Fault) {
      try report?.write(document)
      if failures.isEmpty {
        try outJSON?.write(
          OutJSON.document(
            result, inputs: request.inputs, folder: workingFolder(),
            types: request.manifest.outputTypes, output: request.options.output))
      }
    } catch {
      failures.append(error)
    }
    if progress != .none { console.note(Summary.lines(result)) }
    if failures.count > Self.listedFailures {
      console.note(
        "the first \(Self.listedFailures) of \(failures.count) failures; `--report` has all")
    }
    for fault in failures.prefix(Self.listedFailures) { console.error(fault) }
    return result.exitCode != 0 ? result.exitCode : failures.first?.exitCode ?? 0
  }

  private func workingFolder() -> String {
    guard let path = getcwd(nil, 0) else { return "/" }
    defer { free(path) }
    return String(cString: path)
  }
}
