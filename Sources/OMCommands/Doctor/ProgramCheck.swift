import OMJSON
import OMMPI

/// The program: its version, and the libraries of MPI that it can load.
struct ProgramCheck {
  /// Where the program lies.
  let path: String
  /// Open MPI, as launchers of its own want it.
  let openMPI: MPILibrary
  /// MPICH, or what shares its ABI.
  let mpich: MPILibrary
  /// The library that `OMTASK_MPI_LIBRARY` names.
  let named: MPILibrary?

  /// Looks at the libraries; no other thread may load any meanwhile.
  init(path: String, _ environment: Environment) {
    self.path = path
    openMPI = MPILibrary(.openMPI)
    mpich = MPILibrary(.mpich)
    let name = environment["OMTASK_MPI_LIBRARY"].flatMap { $0.isEmpty ? nil : $0 }
    named = name.map { MPILibrary(.any, library: $0) }
  }

  /// The facts as they are given.
  init(path: String, openMPI: MPILibrary, mpich: MPILibrary, named: MPILibrary? = nil) {
    (self.path, self.openMPI, self.mpich, self.named) = (path, openMPI, mpich, named)
  }

  /// The library that a launcher of a make gets.
  func library(for make: MPIMake) -> MPILibrary {
    if let named { return named }
    switch make {
    case .openMPI: return openMPI
    case .mpich: return mpich
    case .any: return openMPI.make == nil && mpich.make != nil ? mpich : openMPI
    }
  }

  var findings: [DoctorFinding] {
    var found: [DoctorFinding] = [
      .ok("program.version", .string(programVersion), "omtask \(programVersion), \(path)"),
      line(openMPI, "program.open_mpi", "Open MPI", "`mpirun` and `srun --mpi=pmix`"),
      line(mpich, "program.mpich", "MPICH", "`mpiexec` of MPICH"),
    ]
    if let named {
      found.append(
        named.make == nil
          ? .warning(
            "program.mpi_library", .null, "OMTASK_MPI_LIBRARY cannot be used: \(reason(named))",
            do: "name the file of Open MPI (libmpi.so.40) or of MPICH (libmpi.so.12), or unset it")
          : .ok(
            "program.mpi_library", document(named),
            "OMTASK_MPI_LIBRARY is \(named.name), \(named.file)"))
    }
    return found
  }

  private func line(
    _ library: MPILibrary, _ key: String, _ name: String, _ launchers: String
  ) -> DoctorFinding {
    library.make == nil
      ? .note(key, .null, "no \(name), which \(launchers) would want: \(reason(library))")
      : .ok(key, document(library), "\(library.name) for \(launchers), \(library.file)")
  }

  /// Why a library cannot be used; the loader's words for a file that is not there are long.
  private func reason(_ library: MPILibrary) -> String {
    let words = ": cannot open shared object file: No such file or directory"
    return library.text.hasSuffix(words)
      ? "\(library.text.dropLast(words.count)) is not there" : library.text
  }

  private func document(_ library: MPILibrary) -> JSON {
    ["file": .string(library.file), "version": .string(library.name)]
  }
}
