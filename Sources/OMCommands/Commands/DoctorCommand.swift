import ArgumentParser
import CSys
import Glibc
import OMJSON
import OMStore

/// `omtask doctor`: what works here, and what to change.
struct DoctorCommand: Subcommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract:
      "Say what works on this machine, in this job and in these folders, and what to change.",
    discussion: """
      It looks at the program and MPI, the launcher, cores, memory, limits, Slurm, libraries, and at \
      each folder or URL. Under a launcher or in a job it tells what a run would do there; of the \
      processes on a node one speaks. MPI is not started, and what is written to try a folder is \
      removed. Problems are what a run would fail with: the exit code is that of the gravest, 0 \
      without any. docs/doctor.md lists all findings.
      """)

  @Argument(
    help: ArgumentHelp(
      "Folders, images or URLs that runs will read or write; default: the current folder.",
      valueName: "uri"))
  var uris: [String] = []

  @Flag(help: "Answer with JSON.")
  var json = false

  /// Seconds after which nothing is waited for.
  private static let patience = 12.0

  func run(in context: CommandContext) throws -> Int32 {
    let environment = context.environment
    guard Self.speaks(environment) else { return 0 }
    var limits = Limits.current
    limits.remoteTries = 1
    (limits.remoteConnect, limits.remoteIdle) = (ServerCheck.patience, ServerCheck.patience)
    Limits.use(limits)
    // Before there are threads: the process that looks at MPI is a copy of this one.
    let program = ProgramCheck(path: Self.ownPath, environment)
    let findings = DoctorWork.findings(
      checks(program, environment), within: Self.patience)
    let answer = DoctorAnswer(
      host: hostName(), findings: findings, columns: context.output.columns)
    try Output(context.output, json ? .json : .human).write(answer)
    if let fault = answer.fault { throw fault }
    return 0
  }

  /// Of the processes on a node the first speaks: they share everything that is looked at.
  static func speaks(_ environment: Environment) -> Bool {
    let names = ["OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "SLURM_LOCALID"]
    let local = names.lazy.compactMap { environment.number($0) }.first
    return local.map { $0 == 0 } ?? Launch.speaks(environment)
  }

  private func checks(_ program: ProgramCheck, _ environment: Environment) -> [DoctorWork.Check] {
    let late = { (key: String, text: String) in
      DoctorFinding.note(key, .null, "\(text) gave no answer in time")
    }
    let own = machineFindings(environment)
    let isForNodes = (environment.number("SLURM_JOB_NUM_NODES") ?? 1) > 1
    var checks = [
      DoctorWork.Check(find: { program.findings }, late: late("program.version", "the program")),
      DoctorWork.Check(
        find: {
          LauncherCheck(
            environment: environment, program: program, tools: LauncherCheck.Tools(environment),
            isRoot: geteuid() == 0
          ).findings
        }, late: late("launcher.mpirun", "a launcher")),
      DoctorWork.Check(find: { own }, late: late("cores.threads", "the machine")),
      DoctorWork.Check(
        find: { SlurmCheck(environment).findings }, late: late("slurm.version", "Slurm")),
      DoctorWork.Check(
        find: { LibraryCheck(environment: environment).findings },
        late: late("libraries.python", "a library")),
    ]
    for uri in uris.isEmpty ? ["."] : uris {
      if RemoteStore.takes(uri) {
        let check = ServerCheck(uri: uri)
        checks.append(DoctorWork.Check(find: { check.findings }, late: check.late))
      } else {
        let check = PlaceCheck(path: uri, isForNodes: isForNodes)
        checks.append(DoctorWork.Check(find: { check.findings }, late: check.late))
      }
    }
    let scratch = ScratchCheck(ScratchFolder(environment))
    checks.append(DoctorWork.Check(find: { scratch.findings }, late: scratch.late))
    return checks
  }

  private func machineFindings(_ environment: Environment) -> [DoctorFinding] {
    let cgroup = Cgroup.ofThisProcess
    let cores = CoresCheck(
      environment: environment, affinity: Int(om_affinity_count()),
      machine: sysconf(Int32(_SC_NPROCESSORS_ONLN)), cgroup: cgroup)
    let announced = Launcher(environment).announced ?? 1
    let ranks = announced == 1 ? 1 : MemoryLimit.ranksOnNode(environment) ?? announced
    let memory = MemoryCheck(
      environment: environment,
      bounds: MemoryLimit.boundsOfThisProcess(environment, ranks: announced), ranks: ranks,
      cgroupVersion: cgroup.version)
    return cores.findings + memory.findings + LimitsCheck.ofThisProcess().findings
  }

  /// The file of this program.
  private static var ownPath: String {
    guard let path = realpath("/proc/self/exe", nil) else { return CommandLine.arguments[0] }
    defer { free(path) }
    return String(cString: path)
  }
}
