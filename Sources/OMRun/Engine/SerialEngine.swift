/// Walks every piece in the calling thread; what small images of a plate run on.
package final class SerialEngine: Engine, @unchecked Sendable {
  // Sendable by rule: one thread uses an engine of this kind, the one that owns its worker.
  package let communicator: any Communicator = SoloCommunicator()
  private let worker: Worker

  /// Makes an engine on a worker.
  package init(_ worker: Worker) { self.worker = worker }

  package var workerCount: Int { 1 }

  package func closeReaders() -> ReadTotals { worker.closeReaders() }

  package func walk(
    _ pieces: Int, most: Int, _ body: @Sendable (Int, Worker) throws -> Void
  ) throws {
    for piece in 0..<pieces { try body(piece, worker) }
  }
}
