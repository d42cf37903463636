import OMJSON

/// How many threads a process may run, and who says so.
struct CoresCheck {
  /// The variables.
  let environment: Environment
  /// CPUs that this process may run on.
  let affinity: Int
  /// CPUs of the machine.
  let machine: Int
  /// The limits on CPU time.
  let cgroup: Cgroup

  /// The number that `--threads auto` takes.
  var threads: Int {
    ThreadSetting.auto.count(affinity: affinity, environment: environment, cgroup: cgroup)
  }

  var findings: [DoctorFinding] {
    [
      .ok("cores.machine", JSON(machine), "the machine has \(counted(machine, "CPU"))"),
      .ok("cores.affinity", JSON(affinity), "this process may run on \(affinity) of them"),
    ] + ["SLURM_CPUS_PER_TASK", "OMP_NUM_THREADS"].compactMap(variable)
      + [quota, binding, decision]
      .compactMap { $0 }
  }

  private func variable(_ name: String) -> DoctorFinding? {
    guard let text = environment[name] else { return nil }
    let key = "cores.\(name.lowercased())"
    guard let count = environment.number(name), count > 0 else {
      return .warning(
        key, .string(text), "\(name) is `\(text)`, which is no number of threads and is left aside",
        do: "set \(name) to a whole number, or give `--threads`")
    }
    return .ok(key, JSON(count), "\(name) is \(count)")
  }

  private var quota: DoctorFinding? {
    cgroup.cpus.map { cpus in
      .ok(
        "cores.cgroup", .number(numberText(cpus)),
        "the control group allows the time of \(numberText(cpus)) CPUs")
    }
  }

  /// `mpirun` gives each of one or two ranks one core, and all threads of a rank share it.
  private var binding: DoctorFinding? {
    guard case .openMPI(let ranks) = Launcher(environment) else { return nil }
    if affinity > 1 || machine == 1 {
      return .ok("cores.binding", false, "`mpirun` has not bound this rank to one core")
    }
    if machine <= environment.number("OMPI_COMM_WORLD_LOCAL_SIZE") ?? ranks {
      return .note(
        "cores.binding", true, "`mpirun` bound this rank to one core, and there are as many")
    }
    return .warning(
      "cores.binding", true,
      "`mpirun` bound this rank to one of \(machine) cores, so its threads share that one",
      do: "`mpirun --bind-to none`, or `--map-by slot:PE=N` for N threads in each rank")
  }

  private var decision: DoctorFinding {
    let text = "`--threads auto` runs \(counted(threads, "thread"))"
    if threads < affinity || affinity == machine {
      return .ok("cores.threads", JSON(threads), text)
    }
    return .note(
      "cores.threads", JSON(threads), "\(text), of \(machine) CPUs: as many as it may run on")
  }
}
