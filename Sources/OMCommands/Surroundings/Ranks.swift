import CSys
import Glibc
import OMJSON
import OMMPI
import OMRun
import OMStore

/// The ranks of a run, from the start of MPI to its end.
struct Ranks {
  /// What the engine talks through.
  let communicator: any Communicator
  /// Called before ranks go their own ways: the launcher ends the others as soon as one has left
  /// with a fault, which is nothing to tell any more.
  var beforeEnd: @Sendable () -> Void = {}
  private let mpi: MPICommunicator?

  /// Starts MPI when the launch says so.
  ///
  /// *Collective* in that case.
  ///
  /// - Throws: A fault of kind `usage` when MPI cannot be loaded, does not start, or sees other ranks than announced.
  init(_ launch: Launch) throws(Fault) {
    if !launch.startsMPI {
      communicator = SoloCommunicator()
      mpi = nil
      return
    }
    let started = try MPICommunicator(launch.make, library: launch.library)
    mpi = started
    communicator = started
    do throws(Fault) {
      try launch.check(ranks: started.size)
    } catch {
      started.finish()
      throw error
    }
  }

  /// Gives every rank what the first one reads.
  ///
  /// *Collective*. Launchers pipe the standard input into the first rank only.
  func share(_ read: () throws(Fault) -> [UInt8]) throws(Fault) -> [UInt8] {
    let bytes = try agree { () throws(Fault) in communicator.rank == 0 ? try read() : [] }
    return try communicator.broadcast(bytes)
  }

  /// Does the run; several ranks watch each other meanwhile.
  ///
  /// - Parameters:
  ///   - stop: Ends the run on all ranks.
  ///   - patience: Seconds without a sign of life, or without a finished region anywhere, that end
  ///     the job; 0 waits for ever.
  ///   - console: Where the rank that notices says so.
  ///   - run: The run, on another thread.
  /// - Returns: What the run returns.
  /// - Throws: What the run throws.
  func watch<Value: Sendable>(
    _ stop: StopSwitch, patience: Int, _ console: Console,
    _ run: @escaping @Sendable () throws(Fault) -> Value
  ) throws(Fault) -> Value {
    guard let mpi else { return try run() }
    let watch = RankWatch(
      rank: mpi.rank, size: mpi.size, host: hostName(), patience: Double(patience), stop: stop
    ) { bytes, rank in mpi.post(bytes, to: rank) }
    // A rank that was stopped for so long has been given up, and the others have said so.
    let wasSilent = { mpi.rank != 0 || watch.wasGivenUp() }
    let service = {
      while let message = mpi.poll() { watch.take(message.bytes, from: message.from) }
      let fault = watch.tick()
      console.hush(wasSilent())
      guard let fault else { return }
      om_end_after(2000, fault.exitCode)
      console.live("")
      console.error(fault, always: true)
      stop.releaseAll()
      mpi.abort(fault.exitCode)
    }
    return try mpi.serve(service, run)
  }

  /// Does something that only the first rank can fail at, and stops all when it does.
  ///
  /// *Collective*.
  ///
  /// - Throws: The fault of the first rank; on the others one of the same kind, which nobody prints.
  func agree<Value>(_ work: () throws(Fault) -> Value) throws(Fault) -> Value {
    let result = Result(catching: work)
    var kind = ""
    if case .failure(let fault) = result { kind = fault.kind.rawValue }
    let shared = String(decoding: try communicator.broadcast(Array(kind.utf8)), as: UTF8.self)
    let value = try result.get()
    if let kind = FaultKind(rawValue: shared) {
      throw Fault(kind, "", "the first rank stopped the run")
    }
    return value
  }

  /// Ends MPI in order, with the exit code that rank 0 decided.
  ///
  /// *Collective*.
  func end(with code: Int32) throws(Fault) -> Int32 {
    let agreed = try communicator.broadcast([UInt8(truncatingIfNeeded: code)])
    beforeEnd()
    mpi?.finish()
    return agreed.first.map(Int32.init) ?? code
  }

  /// Ends MPI after a fault.
  ///
  /// The engine lets all ranks agree on a fault before it throws, so all come here together. Only a
  /// bug or a broken connection is one rank's own: it then speaks for itself and ends all others.
  ///
  /// - Returns: Whether the fault has been told.
  func end(after fault: Fault, _ console: Console) -> Bool {
    guard let mpi else { return false }
    if fault.kind == .signal {
      // A launcher that was told to end kills soon, and may not answer those who leave in order.
      console.error(fault)
      om_end_after(200, fault.exitCode)
      mpi.finish()
      return true
    }
    if fault.kind != .internal && fault.subject != "MPI" {
      // Told first, because another rank may leave sooner and have the launcher end this one.
      console.error(fault)
      mpi.finish()
      return true
    }
    // When rank 0 has the same trouble it speaks and ends this rank meanwhile.
    if mpi.rank != 0 { usleep(500_000) }
    console.error(fault, always: true)
    mpi.abort(fault.exitCode)
    return true
  }
}
