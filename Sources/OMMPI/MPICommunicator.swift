import CMPI
package import OMJSON
import OMRun

/// The ranks of an MPI job.
///
/// Only the thread that made it may call it. Every wait polls with short sleeps, so that a
/// waiting rank leaves its core to its workers.
package struct MPICommunicator: Communicator {
  package let rank: Int
  package let size: Int

  /// Starts MPI.

  ///

  /// *Collective*.
  ///
  /// - Throws: A fault of kind `usage` when this build holds no MPI or MPI does not start.
  package init() throws(Fault) {
    if om_mpi_available() == 0 {
      throw Fault(
        .usage, "", "started by an MPI launcher, but this omtask was built without MPI",
        hint: "start it without the launcher, or build it with the trait MPI")
    }
    if om_mpi_init() != 0 { throw Fault(.usage, "", "MPI did not start") }
    rank = Int(om_mpi_rank())
    size = Int(om_mpi_size())
  }

  /// Ends MPI in order.

  ///

  /// *Collective*.
  package func finish() { om_mpi_finalize() }

  /// Ends all ranks with an exit code.

  ///

  /// *Local*.
  package func abort(_ code: Int32) { om_mpi_abort(code) }

  package func send(_ bytes: [UInt8], to rank: Int, tag: Int32) throws(Fault) {
    let failed = bytes.withUnsafeBytes {
      om_mpi_send($0.baseAddress, $0.count, Int32(rank), tag)
    }
    try check(failed, "sending \(bytes.count) bytes to rank \(rank)")
  }

  package func receive(from rank: Int, tag: Int32) throws(Fault) -> [UInt8] {
    var count = 0
    try check(om_mpi_probe(Int32(rank), tag, &count), "waiting for rank \(rank)")
    var bytes = [UInt8](repeating: 0, count: count)
    let failed = bytes.withUnsafeMutableBytes {
      om_mpi_receive($0.baseAddress, $0.count, Int32(rank), tag)
    }
    try check(failed, "receiving \(count) bytes of rank \(rank)")
    return bytes
  }

  package func exchange(_ outgoing: [[UInt8]]) throws(Fault) -> [[UInt8]] {
    let outCounts = outgoing.map(\.count)
    var inCounts = [Int](repeating: 0, count: size)
    try check(om_mpi_exchange_counts(outCounts, &inCounts), "exchanging sizes")
    let out = flattened(outgoing)
    var room = [UInt8](repeating: 0, count: inCounts.reduce(0, +))
    let failed = out.withUnsafeBytes { source in
      room.withUnsafeMutableBytes { target in
        om_mpi_exchange(
          places(outCounts) { source.baseAddress?.advanced(by: $0) }, outCounts,
          places(inCounts) { target.baseAddress?.advanced(by: $0) }, inCounts)
      }
    }
    try check(failed, "exchanging data")
    return cut(room, inCounts)
  }

  package func gatherAll(_ bytes: [UInt8]) throws(Fault) -> [[UInt8]] {
    var counts = [Int](repeating: 0, count: size)
    try check(
      om_mpi_exchange_counts([Int](repeating: bytes.count, count: size), &counts),
      "exchanging sizes")
    var room = [UInt8](repeating: 0, count: counts.reduce(0, +))
    let failed = bytes.withUnsafeBytes { source in
      room.withUnsafeMutableBytes { target in
        om_mpi_gather_all(source.baseAddress, counts, target.baseAddress)
      }
    }
    try check(failed, "gathering data")
    return cut(room, counts)
  }

  package func broadcast(_ bytes: [UInt8]) throws(Fault) -> [UInt8] {
    var count = bytes.count
    try check(
      withUnsafeMutableBytes(of: &count) { om_mpi_broadcast($0.baseAddress, $0.count) },
      "sharing a size")
    var all = rank == 0 ? bytes : [UInt8](repeating: 0, count: count)
    try check(
      all.withUnsafeMutableBytes { om_mpi_broadcast($0.baseAddress, $0.count) }, "sharing data")
    return all
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
