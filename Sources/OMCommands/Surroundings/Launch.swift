import OMJSON
import OMMPI

/// Whether `--mpi` lets a launcher start ranks.
enum MPISetting: String, Sendable, CaseIterable {
  /// MPI is started when a launcher announced itself.
  case auto
  /// MPI is never started.
  case off
}

/// How this process takes part in a run: alone, or as one of several ranks.
struct Launch: Sendable, Equatable {
  /// Whether MPI is started.
  var startsMPI: Bool
  /// The number of ranks that the launcher announced; nil when it announced none.
  var announcedRanks: Int?
  /// Whose MPI the launcher wants.
  var make = MPIMake.any
  /// The library that `OMTASK_MPI_LIBRARY` names; nil takes a usual one.
  var library: String?
  /// What a person should know.
  var warnings: [String] = []

  /// Decides from the environment; nothing is started yet.
  ///
  /// MPI must not be started without a launcher of its own: in an ordinary job step Open MPI aborts.
  /// And several processes without MPI must not run at all: each would write everything.
  ///
  /// - Throws: A fault of kind `usage` when several copies would do the same work.
  static func decide(
    _ environment: Environment, _ setting: MPISetting
  ) throws(Fault) -> Launch {
    let launcher = Launcher(environment)
    let stepTasks = environment.number("SLURM_STEP_NUM_TASKS")
    // Modules may leave the variable empty.
    let library = environment["OMTASK_MPI_LIBRARY"].flatMap { $0.isEmpty ? nil : $0 }
    let start = { (make: MPIMake) in
      Launch(startsMPI: true, announcedRanks: launcher.announced, make: make, library: library)
    }
    let alone = Launch(startsMPI: false, announcedRanks: nil, warnings: unused(environment))
    if setting == .off {
      // Whoever says less is not believed: too many writers would be the harm.
      let announced = environment.number("OMPI_COMM_WORLD_SIZE") ?? stepTasks ?? 1
      let most = max(announced, environment.number("PMI_SIZE") ?? 1)
      if most > 1 { throw copies(most, "with `--mpi off`") }
      return alone
    }
    switch launcher {
    case .openMPI: return start(.openMPI)
    // One task of Slurm has nobody to talk to. In a job of several components the others may be its ranks.
    case .slurmPMIx(tasks: 1) where environment.number("SLURM_HET_SIZE") ?? 1 <= 1: return alone
    case .slurmPMIx, .pmix: return start(.any)
    // Nor has one process of such a launcher.
    case .pmi(processes: 1, _): break
    case .pmi: return start(.mpich)
    case .step, .none: break
    }
    if let stepTasks, stepTasks > 1 { throw copies(stepTasks, "without MPI") }
    return alone
  }

  /// Whether this process is the one that tells about the run, before MPI says which rank it is.
  static func speaks(_ environment: Environment) -> Bool {
    let ranks = ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"]
    return ranks.lazy.compactMap { environment.number($0) }.first ?? 0 == 0
  }

  /// Compares what the launcher announced with what MPI found.
  ///
  /// - Throws: A fault of kind `usage` when the processes did not find each other.
  func check(ranks: Int) throws(Fault) {
    guard let announcedRanks, announcedRanks != ranks else { return }
    throw Fault(
      .usage, "",
      "the launcher started \(announcedRanks) processes, but MPI sees \(counted(ranks, "rank"))",
      hint: "launcher and omtask use different MPI libraries: load the launcher's, or name it in "
        + "`OMTASK_MPI_LIBRARY`")
  }

  private static func copies(_ count: Int, _ how: String) -> Fault {
    Fault(
      .usage, "", "started as \(count) tasks \(how), each would write everything",
      hint: "use `srun --mpi=pmix` or `mpirun`; for one process `srun -n1`")
  }

  /// What a job pays for and does not use.
  private static func unused(_ environment: Environment) -> [String] {
    guard let tasks = environment.number("SLURM_NTASKS"), tasks > 1 else { return [] }
    return [
      "the job has \(tasks) tasks, but omtask runs as one process; "
        + "start it with `srun --mpi=pmix` or `mpirun` to use them all"
    ]
  }
}
