import ArgumentParser
import OMJSON
import OMRun

/// `omtask run`: runs a task on images.
struct RunCommand: TaskRun {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run a task on images, plates or wells.",
    discussion: "`omtask run TASK --help` shows the parameters of a task.")

  @OptionGroup var task: TaskFlags
  @OptionGroup(title: "Running") var share: ShareFlags
  @OptionGroup(title: "Running") var control: ControlFlags
  @OptionGroup(title: "Machines") var machine: MachineFlags
  @OptionGroup(title: "Machines") var trial: TrialFlags
  @OptionGroup(title: "Limits") var limits: LimitFlags

  var isTrial: Bool { trial.dryRun }

  func shape(_ options: inout RunOptions, _ environment: Environment) throws(Fault) {
    options.fresh = share.fresh
    guard let part = try share.part?.part(in: environment) else { return }
    if options.part != nil {
      throw Fault(.usage, "", "both `--part` and `init_args` name a part")
    }
    options.part = part
    options.lastPartFinishes = false
  }
}
