import Glibc
import OMStore
import Synchronization

extension LauncherCheck.Tools {
  /// Asks what is on the `PATH`.
  init(_ environment: Environment) {
    let versions = Mutex<[String: String]>([:])
    let list = Mutex<AskedProgram.Answer?>(nil)
    let names = ["mpirun", "mpiexec", "prterun"]
    // At once, as each may keep us waiting.
    inParallel(names.count + 1) { number in
      if number == names.count {
        let answer = AskedProgram("srun", environment)?.answer(
          to: ["--mpi=list"], environment, within: 3)
        list.withLock { $0 = answer }
      } else {
        let version = Self.version(names[number], environment)
        versions.withLock { $0[names[number]] = version }
      }
    }
    let found = versions.withLock { $0 }
    mpirun = found["mpirun"] ?? found["mpiexec"]
    prterun = found["prterun"]
    srunList = list.withLock { $0 }
    // As Slurm's plugin does; nothing of it runs.
    if let library = dlopen("libpmix.so", RTLD_LAZY | RTLD_LOCAL) {
      dlclose(library)
      hasPMIx = true
    }
  }

  /// The line in which a program names its version; nil when it is not on the `PATH`.
  private static func version(_ name: String, _ environment: Environment) -> String? {
    guard let program = AskedProgram(name, environment) else { return nil }
    let answer = program.answer(to: ["--version"], environment, within: 3)
    if !answer.isGood { return "\(program.path), which does not tell its version" }
    // Hydra, the launcher of MPICH, has a heading before it.
    let lines = answer.text.split(whereSeparator: \.isNewline).map {
      $0.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
    if lines.first?.hasPrefix("HYDRA") == true {
      return "Hydra of MPICH, \(lines.dropFirst().first ?? "")"
    }
    guard let line = lines.first else { return program.path }
    // `mpirun (Open MPI) 4.1.4`
    guard line.hasPrefix("\(name) (") else { return line }
    return String(line.dropFirst(name.count + 2)).replacing(")", with: "")
  }
}
