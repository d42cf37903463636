import CMPI

/// Whose MPI library a launcher wants.
package enum MPIMake: Sendable {
  /// Any; Open MPI is looked for first.
  case any
  /// Open MPI, by its own launcher.
  case openMPI
  /// MPICH, or one of those that share its ABI.
  case mpich

  var code: Int32 {
    switch self {
    case .any: Int32(om_mpi_abi_any)
    case .openMPI: Int32(om_mpi_abi_open_mpi)
    case .mpich: Int32(om_mpi_abi_mpich)
    }
  }

  /// What to do where it cannot be loaded.
  package var advice: String {
    let name = "or name its library: `OMTASK_MPI_LIBRARY=/where/libmpi.so`"
    return switch self {
    case .any, .openMPI: "install Open MPI on all nodes (or load its module), \(name)"
    case .mpich:
      "the launcher speaks PMI as MPICH does: install MPICH (or load its module), \(name); with Open "
        + "MPI start it with `mpirun` or `srun --mpi=pmix`; `--mpi off` for one process"
    }
  }
}
