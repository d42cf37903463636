import ArgumentParser
import Glibc
import OMJSON

/// A number of bytes as people write it: `8G`, `512M`, `1.5GiB`, `2000000`.
struct ByteCount: Sendable, Equatable {
  /// The bytes.
  let bytes: Int

  /// Reads a size; nil when it is none, zero, or too large to count.
  ///
  /// `K`, `M`, `G`, `T`, alone or with `iB`, are powers of 1024; with `B`, powers of 1000.
  init?(text: String) {
    let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    guard let value = Double(digits), let unit = Self.unit(text.dropFirst(digits.count)) else {
      return nil
    }
    guard let bytes = Int(exactly: (value * unit).rounded()), bytes > 0 else { return nil }
    self.bytes = bytes
  }

  private static func unit(_ text: Substring) -> Double? {
    let name = text.lowercased()
    if name.isEmpty || name == "b" { return 1 }
    let letters = ["k", "m", "g", "t"]
    guard let power = letters.firstIndex(where: { name.hasPrefix($0) }) else { return nil }
    let base: Double
    switch name.dropFirst() {
    case "", "ib": base = 1024
    case "b": base = 1000
    default: return nil
    }
    return (0...power).reduce(1) { product, _ in product * base }
  }
}

extension ByteCount: ExpressibleByArgument {
  /// Reads the value of `--memory`.
  init?(argument: String) { self.init(text: argument) }
}

/// The memory that one process may use when `--memory` is not given: half of the smallest bound.
enum MemoryLimit {
  /// Something that bounds the memory of one process.
  struct Bound: Sendable, Equatable {
    /// What bounds it.
    enum Source: String, Sendable {
      case machine, cgroup
      /// What the job may have on this node, by `SLURM_MEM_PER_NODE`.
      case slurmNode = "SLURM_MEM_PER_NODE"
      /// What the CPUs of this task bring, by `SLURM_MEM_PER_CPU`.
      case slurmCPU = "SLURM_MEM_PER_CPU"
      /// The addresses that `ulimit -v` leaves.
      case addresses = "ulimit -v"
    }

    /// What bounds it.
    let source: Source
    /// The bytes that one process may have of it, a rank its share.
    let bytes: Int
  }

  /// All bounds, the smallest first.
  ///
  /// - Parameters:
  ///   - cgroup: The limits of the job.
  ///   - machine: The memory of the machine in bytes.
  ///   - ranksOnNode: How many ranks share it.
  ///   - environment: What Slurm says that the job may have.
  ///   - addresses: The addresses that are left to this process; nil for no limit.
  /// - Returns: The bounds.
  static func bounds(
    cgroup: Cgroup, machine: Int, ranksOnNode: Int, environment: Environment = Environment([:]),
    addresses: Int? = nil
  ) -> [Bound] {
    let ranks = max(1, ranksOnNode)
    let slurm = SlurmMemory(environment)
    let found: [(Bound.Source, Int?)] = [
      (.machine, machine / ranks), (.cgroup, cgroup.memory.map { $0 / ranks }),
      (.slurmNode, slurm.perNode.map { $0 / ranks }),
      (.slurmCPU, slurm.perTask(ranksOnNode: ranks)), (.addresses, addresses),
    ]
    return found.compactMap { source, bytes in bytes.map { Bound(source: source, bytes: $0) } }
      .sorted { $0.bytes < $1.bytes }
  }

  /// The bytes for one process: the other half is for the page cache, and for what nobody plans.
  static func automatic(_ bounds: [Bound]) -> Int { (bounds.first?.bytes ?? 0) / 2 }

  /// The memory limit of this process.
  static func ofThisProcess(_ environment: Environment, ranks: Int) -> Int {
    automatic(boundsOfThisProcess(environment, ranks: ranks))
  }

  /// The bounds of this process, the smallest first.
  static func boundsOfThisProcess(_ environment: Environment, ranks: Int) -> [Bound] {
    bounds(
      cgroup: .ofThisProcess, machine: machineBytes,
      ranksOnNode: ranks == 1 ? 1 : ranksOnNode(environment) ?? ranks, environment: environment,
      addresses: freeAddresses)
  }

  /// The memory of this machine.
  static var machineBytes: Int {
    sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
  }

  /// The addresses that `ulimit -v` leaves to this process; nil when there is no such limit.
  private static var freeAddresses: Int? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0,
      let most = Int(exactly: limit.rlim_cur), most < 1 << 60
    else { return nil }
    let text = (try? readFile("/proc/self/statm")).map { String(decoding: $0, as: UTF8.self) } ?? ""
    let pages = text.split(separator: " ").first.flatMap { Int($0) } ?? 0
    return max(0, most - pages * sysconf(Int32(_SC_PAGESIZE)))
  }

  /// How many ranks the launcher put on this node; nil when it does not say.
  static func ranksOnNode(_ environment: Environment) -> Int? {
    for name in ["OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS"] {
      if let local = environment.number(name) { return local }
    }
    // `2(x3),1`: the first three nodes have two tasks each. The fullest node decides.
    guard let list = environment["SLURM_STEP_TASKS_PER_NODE"] else { return nil }
    return list.split(separator: ",").compactMap { Int($0.prefix { $0.isNumber }) }.max()
  }
}
