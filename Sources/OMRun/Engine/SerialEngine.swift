import OMTask

/// Walks every piece in the calling thread; what small images of a plate run on.
package final class SerialEngine: Engine, @unchecked Sendable {
  // Sendable by rule: one thread uses an engine of this kind, the one that owns its worker.
  package let communicator: any Communicator = SoloCommunicator()
  private let worker: Worker
  private let stop: StopSwitch

  /// Makes an engine on a worker that stops when `stop` is thrown.
  package init(_ worker: Worker, stop: StopSwitch = StopSwitch()) {
    self.worker = worker
    self.stop = stop
    let number = worker.number
    worker.scratch.sign = { stop.work.sign(worker: number) }
  }

  package var workerCount: Int { 1 }
  package var work: WorkLog { stop.work }

  package func closeReaders() -> ReadTotals { worker.closeReaders() }

  package func walk(
    _ pieces: Int, most: Int, name: @escaping @Sendable (Int) -> String,
    _ body: @Sendable (Int, Worker) throws -> Void
  ) throws {
    for piece in 0..<pieces {
      try stop.check()
      stop.work.begin(piece, worker: worker.number, name: name)
      defer { stop.work.end(worker: worker.number) }
      try body(piece, worker)
    }
  }
}
