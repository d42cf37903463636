import ArgumentParser
import OMJSON
import OMManifest
import OMRun
import OMTask

/// A command that does a task: what `omtask run` and `omtask finalize` have in common.
protocol TaskRun: Subcommand, Sendable {
  /// The task and what is given to it.
  var task: TaskFlags { get }
  var control: ControlFlags { get }
  var machine: MachineFlags { get }
  var limits: LimitFlags { get }
  /// Whether only the plan is wanted.
  var isTrial: Bool { get }

  /// Says what of the work is done.
  ///
  /// - Throws: A fault of kind `usage`.
  func shape(_ options: inout RunOptions, _ environment: Environment) throws(Fault)
}

extension TaskRun {
  private static var name: String { configuration.commandName ?? "" }

  func run(in context: CommandContext) throws -> Int32 {
    try limits.apply()
    let speaks = Launch.speaks(context.environment)
    if !speaks { context.console.hush() }
    let launch = try Launch.decide(context.environment, control.mpi)
    var ranks: Ranks?
    do {
      var context = context
      if task.readsStandardInput && launch.startsMPI {
        let started = try Ranks(launch)
        ranks = started
        let bytes = try started.share(context.standardInput)
        context.standardInput = { bytes }
      }
      let request = try request(context)
      try context.console.use { sink throws(Fault) in
        try messageStyle(for: sink, context.environment, about: request.manifest.identifier)
      }
      if isTrial {
        let code = try writePlan(
          of: request, resources: task.resources, ranks: launch.announcedRanks ?? 1,
          form: speaks ? .human : .quiet, context)
        return try ranks?.end(with: code) ?? code
      }
      let watcher = watcher(request.options.stop, launch, context)
      if context.ownsProcess { watcher.start() }
      defer { watcher.finish() }
      for warning in launch.warnings { context.console.warning(warning) }
      // Everything that can be wrong with the call has been found; only now may MPI start.
      var started = try ranks ?? Ranks(launch)
      started.beforeEnd = { watcher.finish() }
      ranks = started
      let session = started
      let (known, patience) = (context, control.stallTimeout.count)
      return try session.watch(request.options.stop, patience: patience, context.console) {
        () throws(Fault) in try start(request, on: session, known, speaks: speaks)
      }
    } catch let fault as Fault {
      if ranks?.end(after: fault, context.console) == true { return fault.exitCode }
      throw fault
    }
  }

  private func start(
    _ request: RunRequest, on ranks: Ranks, _ context: CommandContext, speaks: Bool
  ) throws(Fault) -> Int32 {
    var request = request
    request.options.use(task.resources, ranks: ranks.communicator.size, context.environment)
    let session = try ranks.agree { () throws(Fault) in
      try RunSession(request, machine, context, speaks: speaks)
    }
    return try session.run(on: ranks)
  }

  private func watcher(
    _ stop: StopSwitch, _ launch: Launch, _ context: CommandContext
  ) -> StopWatcher {
    // Of several ranks one watches the clock, and all watch each other.
    let watch = StopWatcher.Watch(
      stopBefore: Launch.speaks(context.environment) ? control.stopBefore?.count : nil,
      stallTimeout: launch.startsMPI ? 0 : control.stallTimeout.count)
    return StopWatcher(watch, stop, context.console, context.environment)
  }

  /// What the words and flags ask for, before threads and memory are known.
  func request(_ context: CommandContext) throws(Fault) -> RunRequest {
    var request = try readTaskCall(task, command: Self.name, context)
    try shape(&request.options, context.environment)
    request.options.failFast = control.failFast
    request.options.lockWait = Double(control.lockWait.count)
    request.options.durability = control.durability
    request.options.scratch = ScratchFolder.ofBuckets(control.scratch.scratch, context.environment)
    request.options.namesScratch = control.scratch.scratch != nil
    request.options.assumesSingleWriter = control.assumeSingleWriter
    // A little less than the engine waits: who hangs is better named by who talks to it.
    request.options.surroundings.patience = 0.9 * Double(control.stallTimeout.count)
    return request
  }
}
