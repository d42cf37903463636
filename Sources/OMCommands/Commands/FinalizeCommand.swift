import ArgumentParser
import OMJSON
import OMRun

/// `omtask finalize`: does what parts leave to whoever comes after all of them.
struct FinalizeCommand: TaskRun {
  static let configuration = CommandConfiguration(
    commandName: "finalize",
    abstract: "Finish what `omtask run --part` began, when no part is missing.",
    discussion: """
      Takes the words of `omtask run` without `--part`, and does the rest: what needs all parts, \
      levels, metadata, and the result that appears as a whole. Names what is missing and writes \
      nothing (exit code 66) where a part is not done.
      """)

  @OptionGroup var task: TaskFlags
  @OptionGroup(title: "Running") var control: ControlFlags
  @OptionGroup(title: "Machines") var machine: MachineFlags
  @OptionGroup(title: "Limits") var limits: LimitFlags

  var isTrial: Bool { false }

  func shape(_ options: inout RunOptions, _ environment: Environment) throws(Fault) {
    if let part = options.part {
      throw Fault(
        .usage, "",
        "`init_args` names the part \(part), and `omtask finalize` does what all of them leave")
    }
    options.needsParts = true
  }
}
