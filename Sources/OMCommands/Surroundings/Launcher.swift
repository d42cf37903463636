/// Who started this process, as far as its variables show.
///
/// The order is that in which variables count: `mpirun` inside a step of Slurm is `mpirun`.
enum Launcher: Sendable, Equatable {
  /// Open MPI's own launcher, with this many ranks.
  case openMPI(ranks: Int)
  /// A step of Slurm with PMIx, of this many tasks; nil when the step does not say.
  case slurmPMIx(tasks: Int?)
  /// Another launcher that speaks PMIx, with this many tasks of a Slurm step around it.
  case pmix(stepTasks: Int?)
  /// A launcher that speaks PMI as MPICH does; nil when it does not say how many it started.
  case pmi(processes: Int?, stepTasks: Int?)
  /// A step of Slurm that offers no way to talk.
  case step(tasks: Int)
  /// A shell, a batch script, a workflow engine.
  case none

  /// Looks at the variables.
  init(_ environment: Environment) {
    let stepTasks = environment.number("SLURM_STEP_NUM_TASKS")
    let processes = environment.number("PMI_SIZE")
    if let ranks = environment.number("OMPI_COMM_WORLD_SIZE") {
      self = .openMPI(ranks: ranks)
    } else if environment["PMIX_RANK"] != nil {
      let isSlurm = environment["PMIX_NAMESPACE"]?.hasPrefix("slurm.pmix.") == true
      self = isSlurm ? .slurmPMIx(tasks: stepTasks) : .pmix(stepTasks: stepTasks)
    } else if environment["PMI_RANK"] != nil || processes != nil {
      self = .pmi(processes: processes, stepTasks: stepTasks)
    } else if let stepTasks {
      self = .step(tasks: stepTasks)
    } else {
      self = .none
    }
  }

  /// The processes that it announced; nil when it announced none.
  var announced: Int? {
    switch self {
    // Under mpirun the Slurm step is mpirun's own helper, so its size says nothing about the ranks.
    case .openMPI(let ranks): ranks
    case .slurmPMIx(let tasks): tasks
    case .pmix(let stepTasks): stepTasks
    case .pmi(let processes, let stepTasks): processes ?? stepTasks
    case .step(let tasks): tasks
    case .none: nil
    }
  }
}
