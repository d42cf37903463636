import CMPI
package import OMJSON
import OMRun

/// The ranks of an MPI job.
///
/// MPI is only called by the thread that made it. The run goes on another thread, whose calls that
/// thread takes while it `serves`; meanwhile and in every wait it talks with the other ranks about
/// stops, failures and signs of life. Every wait polls with short sleeps, so that a waiting rank
/// leaves its core to its workers.
package struct MPICommunicator: Communicator {
  package let rank: Int
  package let size: Int
  private let desk = CallDesk()

  /// Starts MPI.

  ///

  /// *Collective*.
  ///
  /// - Parameters:
  ///   - make: Whose library it is.
  ///   - library: The file of the library; nil takes a usual one.
  /// - Throws: A fault of kind `usage` when no library can be loaded or MPI does not start.
  package init(_ make: MPIMake = .any, library: String? = nil) throws(Fault) {
    var reason: UnsafePointer<CChar>?
    if om_mpi_load(make.code, library, &reason) != 0 {
      throw Fault(
        .usage, "",
        "started by an MPI launcher, but MPI cannot be loaded: \(reason.map { String(cString: $0) } ?? "")",
        hint: make.advice)
    }
    if om_mpi_init() != 0 { throw Fault(.usage, "", "MPI did not start") }
    rank = Int(om_mpi_rank())
    size = Int(om_mpi_size())
  }

  /// Does the run on another thread and serves its calls on this one, until the run is over.
  ///
  /// - Parameters:
  ///   - service: Talks with the other ranks; called some ten times a second on this thread.
  ///   - run: The run.
  /// - Returns: What the run returns.
  /// - Throws: What the run throws, or a fault of kind `limit` when there is no thread for it.
  package func serve<Value: Sendable>(
    _ service: @escaping () -> Void, _ run: @escaping @Sendable () throws(Fault) -> Value
  ) throws(Fault) -> Value {
    let service = Service(service)
    let context = Unmanaged.passUnretained(service)
    om_mpi_set_service(
      { context in
        if let context { Unmanaged<Service>.fromOpaque(context).takeUnretainedValue().call() }
      }, context.toOpaque())
    defer {
      om_mpi_set_service(nil, nil)
      withExtendedLifetime(service) {}
    }
    return try desk.serve(run, meanwhile: service.call)
  }

  /// Sends a small message beside the work and returns at once.
  ///
  /// *Local*, only from `service`.
  package func post(_ bytes: [UInt8], to rank: Int) {
    // Signs of life come again, and stops and failures also reach all ranks where they meet.
    _ = om_mpi_post(bytes, bytes.count, Int32(rank))
  }

  /// Takes a small message if there is one.
  ///
  /// *Local*, only from `service`.
  package func poll() -> (bytes: [UInt8], from: Int)? {
    var from: Int32 = 0
    var count: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: om_mpi_post_room) {
      count = om_mpi_poll($0.baseAddress, &from)
      $1 = Int(max(0, count))
    }
    return count < 0 ? nil : (bytes, Int(from))
  }

  /// Ends MPI in order.

  ///

  /// *Collective*.
  package func finish() {
    desk.onOwner {
      // Nobody listens any more to what is sent beside the work.
      om_mpi_set_service(nil, nil)
      desk.close()
      om_mpi_finalize()
    }
  }

  /// Ends all ranks with an exit code.

  ///

  /// *Local*.
  package func abort(_ code: Int32) { desk.onOwner { om_mpi_abort(code) } }

  package func send(_ bytes: [UInt8], to rank: Int, tag: Int32) throws(Fault) {
    let failed = desk.onOwner {
      bytes.withUnsafeBytes { om_mpi_send($0.baseAddress, $0.count, Int32(rank), tag) }
    }
    try check(failed, "sending \(bytes.count) bytes to rank \(rank)")
  }

  package func receive(from rank: Int, tag: Int32) throws(Fault) -> [UInt8] {
    var count = 0
    try check(
      desk.onOwner { om_mpi_probe(Int32(rank), tag, &count) }, "waiting for rank \(rank)")
    var bytes = [UInt8](repeating: 0, count: count)
    let failed = desk.onOwner {
      bytes.withUnsafeMutableBytes {
        om_mpi_receive($0.baseAddress, $0.count, Int32(rank), tag)
      }
    }
    try check(failed, "receiving \(count) bytes of rank \(rank)")
    return bytes
  }

  package func exchange(_ outgoing: [[UInt8]]) throws(Fault) -> [[UInt8]] {
    let outCounts = outgoing.map(\.count)
    let inCounts = try sizes(outCounts)
    let out = flattened(outgoing)
    var room = [UInt8](repeating: 0, count: inCounts.reduce(0, +))
    let failed = desk.onOwner {
      out.withUnsafeBytes { source in
        room.withUnsafeMutableBytes { target in
          om_mpi_exchange(
            places(outCounts) { source.baseAddress?.advanced(by: $0) }, outCounts,
            places(inCounts) { target.baseAddress?.advanced(by: $0) }, inCounts)
        }
      }
    }
    try check(failed, "exchanging data")
    return cut(room, inCounts)
  }

  package func gatherAll(_ bytes: [UInt8]) throws(Fault) -> [[UInt8]] {
    let counts = try sizes([Int](repeating: bytes.count, count: size))
    var room = [UInt8](repeating: 0, count: counts.reduce(0, +))
    let failed = desk.onOwner {
      bytes.withUnsafeBytes { source in
        room.withUnsafeMutableBytes { target in
          om_mpi_gather_all(source.baseAddress, counts, target.baseAddress)
        }
      }
    }
    try check(failed, "gathering data")
    return cut(room, counts)
  }

  package func broadcast(_ bytes: [UInt8]) throws(Fault) -> [UInt8] {
    var count = bytes.count
    try check(
      desk.onOwner {
        withUnsafeMutableBytes(of: &count) { om_mpi_broadcast($0.baseAddress, $0.count) }
      }, "sharing a size")
    var all = rank == 0 ? bytes : [UInt8](repeating: 0, count: count)
    try check(
      desk.onOwner {
        all.withUnsafeMutableBytes { om_mpi_broadcast($0.baseAddress, $0.count) }
      }, "sharing data")
    return all
  }

  /// Tells every rank a size and hears one of every rank.
  ///
  /// *Collective*.
  private func sizes(_ outgoing: [Int]) throws(Fault) -> [Int] {
    var incoming = [Int](repeating: 0, count: size)
    try check(
      desk.onOwner { om_mpi_exchange_counts(outgoing, &incoming) }, "exchanging sizes")
    return incoming
  }

  /// Cuts a buffer into parts of these sizes.
  private func cut(_ all: [UInt8], _ counts: [Int]) -> [[UInt8]] {
    var offset = 0
    return counts.map { count in
      defer { offset += count }
      return Array(all[offset..<offset + count])
    }
  }

  private func flattened(_ parts: [[UInt8]]) -> [UInt8] {
    var all: [UInt8] = []
    all.reserveCapacity(parts.reduce(0) { $0 + $1.count })
    for part in parts { all += part }
    return all
  }

  /// The address of each part of a buffer, by the sizes of the parts.
  private func places<Address>(_ counts: [Int], _ address: (Int) -> Address?) -> [Address?] {
    var offset = 0
    return counts.map { count in
      defer { offset += count }
      return address(offset)
    }
  }

  private func check(_ failed: Int32, _ doing: String) throws(Fault) {
    if failed != 0 { throw Fault(.io, "MPI", "\(doing) did not work on rank \(rank)") }
  }
}

/// What the C functions call while they wait.
private final class Service {
  let call: () -> Void
  init(_ call: @escaping () -> Void) { self.call = call }
}
