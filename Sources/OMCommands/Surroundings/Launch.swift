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
    let openMPI = environment.number("OMPI_COMM_WORLD_SIZE")
    let stepTasks = environment.number("SLURM_STEP_NUM_TASKS")
    // Under mpirun the Slurm step is mpirun's own helper, so its size says nothing about the ranks.
    let announced = openMPI ?? stepTasks
    // Modules may leave the variable empty.
    let library = environment["OMTASK_MPI_LIBRARY"].flatMap { $0.isEmpty ? nil : $0 }
    if setting == .auto && (openMPI != nil || environment["PMIX_RANK"] != nil) {
      return Launch(
        startsMPI: true, announcedRanks: announced, make: openMPI == nil ? .any : .openMPI,
        library: library)
    }
    if setting == .off && max(announced ?? 1, environment.number("PMI_SIZE") ?? 1) > 1 {
      throw copies(max(announced ?? 1, environment.number("PMI_SIZE") ?? 1), "with `--mpi off`")
    }
    // One process of such a launcher needs nobody to talk to.
    let processes = environment.number("PMI_SIZE")
    if setting == .auto, environment["PMI_RANK"] != nil || processes != nil, processes != 1 {
      return Launch(
        startsMPI: true, announcedRanks: processes ?? stepTasks, make: .mpich,
        library: library)
    }
    if let stepTasks, openMPI == nil, stepTasks > 1 { throw copies(stepTasks, "without MPI") }
    return Launch(startsMPI: false, announcedRanks: nil, warnings: unused(environment))
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
