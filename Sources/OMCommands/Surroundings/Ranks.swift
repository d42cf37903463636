import Glibc
import OMJSON
import OMMPI
import OMRun

/// The ranks of a run, from the start of MPI to its end.
struct Ranks {
  /// What the engine talks through.
  let communicator: any Communicator
  private let mpi: MPICommunicator?

  /// Starts MPI when the launch says so.
  ///
  /// *Collective* in that case.
  ///
  /// - Throws: A fault of kind `usage` when MPI does not start, or sees other ranks than announced.
  init(_ launch: Launch) throws(Fault) {
    if !launch.startsMPI {
      communicator = SoloCommunicator()
      mpi = nil
      return
    }
    let mpi = try MPICommunicator()
    self.mpi = mpi
    communicator = mpi
    do throws(Fault) {
      try launch.check(ranks: mpi.size)
    } catch {
      mpi.finish()
      throw error
    }
  }

  /// Ends MPI in order, with the exit code that rank 0 decided.
  ///
  /// *Collective*.
  func end(with code: Int32) throws(Fault) -> Int32 {
    let agreed = try communicator.broadcast([UInt8(truncatingIfNeeded: code)])
    mpi?.finish()
    return agreed.first.map(Int32.init) ?? code
  }

  /// Ends MPI after a fault.
  ///
  /// The engine lets all ranks agree on a fault before it throws, so all come here together. Only a
  /// bug or a broken connection is one rank's own: it then speaks for itself and ends all others.
  func end(after fault: Fault, _ console: Console) {
    guard let mpi else { return }
    if fault.kind != .internal && fault.subject != "MPI" {
      mpi.finish()
      return
    }
    // When rank 0 has the same trouble it speaks and ends this rank meanwhile.
    if mpi.rank != 0 { usleep(500_000) }
    console.error(fault, always: true)
    mpi.abort(fault.kind.exitCode)
  }
}
