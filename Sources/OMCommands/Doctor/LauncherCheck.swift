import OMJSON
import OMMPI

/// Who started this process, what a run would make of it, and how ranks can be started here.
struct LauncherCheck {
  /// Programs that start ranks, and what they say about themselves.
  struct Tools: Sendable {
    /// The first line of `mpirun --version`; nil when there is none.
    var mpirun: String?
    /// The first line of `prterun --version`; nil when there is none.
    var prterun: String?
    /// What `srun --mpi=list` says; nil when there is no `srun`.
    var srunList: AskedProgram.Answer?
    /// Whether `libpmix.so` is found by that name.
    var hasPMIx = false

    /// Whether `mpirun` is that of Open MPI.
    var isOpenMPI: Bool {
      guard let mpirun else { return false }
      // Open MPI 5 has it from PRRTE.
      return mpirun.contains("Open MPI") || mpirun.contains("PRRTE")
    }
    /// Whether `mpirun` is that of MPICH.
    var isHydra: Bool { mpirun?.contains("Hydra") == true }
    /// The ways to talk that `srun` offers.
    var srunWays: [String] {
      guard let srunList, srunList.isGood else { return [] }
      let words = srunList.text.split { $0.isWhitespace || ":,".contains($0) }
      return words.map(String.init).filter {
        ["none", "openmpi"].contains($0) || $0.hasPrefix("pmi") || $0.hasPrefix("cray")
      }
    }
    /// Whether `srun --mpi=pmix` may work.
    var srunHasPMIx: Bool { srunWays.contains { $0.hasPrefix("pmix") } }
  }

  /// The variables.
  let environment: Environment
  /// The libraries of MPI.
  let program: ProgramCheck
  /// What is on the `PATH`.
  let tools: Tools
  /// Whether this is the superuser.
  let isRoot: Bool

  private var launcher: Launcher { Launcher(environment) }
  private var job: String? { environment["SLURM_JOB_ID"] }

  var findings: [DoctorFinding] {
    [started] + decision + [nested, mpirun, prterun, root].compactMap { $0 } + srun + [ways]
  }

  // MARK: - This process

  private var started: DoctorFinding {
    let (kind, text) =
      switch launcher {
      case .openMPI(let ranks): ("mpirun", "started by `mpirun` with \(counted(ranks, "rank"))")
      case .slurmPMIx(let tasks):
        (
          "slurm_pmix",
          "started by `srun` with PMIx\(tasks.map { ", \(counted($0, "task"))" } ?? "")"
        )
      case .pmix: ("pmix", "started by a launcher that speaks PMIx")
      case .pmi(let processes, let stepTasks):
        (
          "pmi",
          stepTasks == nil
            ? "started by a launcher that speaks PMI, as `mpiexec` of MPICH does"
              + (processes.map { ", with \(counted($0, "process", "processes"))" } ?? "")
            : "started by `srun` with PMI-2, as for MPICH"
        )
      case .step(let tasks):
        ("slurm_step", "started by `srun` without PMI, \(counted(tasks, "task"))")
      case .none:
        job.map { ("slurm_batch", "started in Slurm job \($0) by a script or a shell") }
          ?? ("none", "started by a shell, a script or a workflow engine, and no launcher")
      }
    return .ok("launcher.started_by", .string(kind), text)
  }

  private var decision: [DoctorFinding] {
    let key = "launcher.decision"
    let launch: Launch
    do { launch = try Launch.decide(environment, .auto) } catch {
      return [.problem(key, "refused", error)]
    }
    if launch.startsMPI {
      let ranks = launch.announcedRanks.map { " on \(counted($0, "rank"))" } ?? ""
      return [.ok(key, "ranks", "a run starts MPI and works\(ranks)")] + [library(launch)]
    }
    let reason =
      switch launcher {
      case .none: "no launcher announced itself"
      case .slurmPMIx, .step: "the step has one task"
      case .pmi: "the launcher started one process"
      case .openMPI, .pmix: "the launcher is not for it"
      }
    let text = "a run is one process with threads and starts no MPI: \(reason)"
    guard let warning = launch.warnings.first else { return [.ok(key, "one process", text)] }
    return [
      .warning(
        key, "one process", "\(text); \(warning.prefix { $0 != ";" })",
        do: "`mpirun --bind-to none omtask …` in the batch script, or `srun --mpi=pmix omtask …`")
    ]
  }

  /// The library that this launcher gets.
  private func library(_ launch: Launch) -> DoctorFinding {
    let key = "launcher.library"
    let library = program.library(for: launch.make)
    if library.make == nil {
      return .problem(
        .usage, key, .null, "MPI cannot be loaded: \(library.text)", do: launch.make.advice)
    }
    if launch.make == .mpich && library.make == .openMPI {
      return .problem(
        .usage, key, .string(library.file), "the launcher speaks PMI, and \(library.name) does not",
        do: launch.make.advice)
    }
    if launch.make == .openMPI && library.make == .mpich {
      return .problem(
        .usage, key, .string(library.file),
        "`mpirun` is that of Open MPI, and OMTASK_MPI_LIBRARY is \(library.name)",
        do: "unset OMTASK_MPI_LIBRARY, or start with `mpiexec` of MPICH")
    }
    return .ok(key, .string(library.file), "\(library.name) is loaded for it")
  }

  /// `mpirun` in a step of Slurm finds no allocation that it understands.
  private var nested: DoctorFinding? {
    switch launcher {
    case .step, .slurmPMIx: break
    case .openMPI, .pmix, .pmi, .none: return nil
    }
    if tools.mpirun == nil { return nil }
    return .note(
      "launcher.mpirun_in_step", true, "`mpirun` does not find its way inside a step of `srun`",
      do: "`srun --mpi=pmix`; on one node also `mpirun --mca ras ^slurm --mca plm ^slurm`")
  }

  // MARK: - What is there

  private var mpirun: DoctorFinding {
    guard let version = tools.mpirun else {
      return .note("launcher.mpirun", .null, "`mpirun` is not on the PATH")
    }
    return .ok("launcher.mpirun", .string(version), "`mpirun` is \(version)")
  }

  private var prterun: DoctorFinding? {
    tools.prterun.map { .ok("launcher.prterun", .string($0), "`prterun` is \($0)") }
  }

  /// Whether Open MPI's launcher serves the superuser.
  private var root: DoctorFinding? {
    guard isRoot, tools.isOpenMPI else { return nil }
    let names = ["OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"]
    if names.allSatisfy({ environment[$0] == "1" }) {
      return .ok("launcher.root", true, "`mpirun` works for root here")
    }
    return .warning(
      "launcher.root", false, "`mpirun` refuses to work for root",
      do: "work as another user, or set \(names.map { "\($0)=1" }.joined(separator: " "))")
  }

  private var srun: [DoctorFinding] {
    guard let list = tools.srunList else { return [] }
    let key = "launcher.srun_pmix"
    if list.isLate {
      return [.note(key, .null, "`srun --mpi=list` gave no answer in time")]
    }
    if !list.isGood {
      let cause = list.text.split(whereSeparator: \.isNewline).last.map(String.init) ?? ""
      return [.note(key, .null, "`srun` is on the PATH and finds no cluster: \(cause)")]
    }
    let ways = JSON.array(tools.srunWays.map { .string($0) })
    if case .slurmPMIx = launcher { return [.ok(key, ways, "`srun --mpi=pmix` works here")] }
    if !tools.srunHasPMIx {
      return [
        .warning(
          key, ways, "`srun` offers no PMIx, only \(tools.srunWays.joined(separator: ", "))",
          do: "start ranks by `mpirun --bind-to none`, or ask for Slurm with PMIx")
      ]
    }
    if !tools.hasPMIx {
      return [
        .warning(
          key, ways,
          "`srun --mpi=pmix` may fail: its plugin loads libpmix.so, which has another name here",
          do: "on Debian install libpmix-dev on all nodes")
      ]
    }
    return [.ok(key, ways, "`srun --mpi=pmix` is offered, and libpmix.so is there")]
  }

  /// The ways to start ranks that should work.
  private var ways: DoctorFinding {
    var ways: [String] = []
    let hasOpenMPI = program.library(for: .openMPI).make == .openMPI
    if tools.isOpenMPI && hasOpenMPI && root?.level != .warning {
      ways.append("mpirun --bind-to none")
    }
    if tools.isHydra && program.library(for: .mpich).make == .mpich { ways.append("mpiexec") }
    let maySrun = tools.srunHasPMIx && tools.hasPMIx
    if maySrun && hasOpenMPI { ways.append("srun --mpi=pmix") }
    let value = JSON.array(ways.map { .string($0) })
    if ways.isEmpty {
      return .note(
        "launcher.ways", value,
        "no way to start ranks was found: threads, and parts (`--part`), need none")
    }
    return .ok(
      "launcher.ways", value,
      "ranks can be started by \(ways.map { "`\($0)`" }.joined(separator: " or "))")
  }
}
