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

/// The memory that one process may use when `--memory` is not given.
enum MemoryLimit {
  /// Divides half of what the job or the machine has between the ranks of this node.
  ///
  /// - Parameters:
  ///   - cgroup: The limits of the job.
  ///   - machine: The memory of the machine in bytes.
  ///   - ranksOnNode: How many ranks share it.
  /// - Returns: The bytes for one rank.
  static func automatic(cgroup: Cgroup, machine: Int, ranksOnNode: Int) -> Int {
    min(cgroup.memory ?? machine, machine) / 2 / max(1, ranksOnNode)
  }

  /// The memory limit of this process.
  static func ofThisProcess(_ environment: Environment, ranks: Int) -> Int {
    let machine = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
    let share = automatic(
      cgroup: .ofThisProcess, machine: machine,
      ranksOnNode: ranks == 1 ? 1 : ranksOnNode(environment) ?? ranks)
    return freeAddresses.map { min(share, $0 / 2) } ?? share
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
