import Glibc
import OMJSON

/// The memory that a process takes when `--memory` is not given, and what else the system limits.
struct MemoryCheck {
  /// The variables.
  let environment: Environment
  /// What bounds the memory of this process, the smallest first.
  let bounds: [MemoryLimit.Bound]
  /// How many ranks share it.
  let ranks: Int
  /// The version of control groups; nil without any.
  var cgroupVersion: Int?

  var findings: [DoctorFinding] {
    var found = bounds.map { bound in
      DoctorFinding.ok(
        "memory.\(Self.keys[bound.source] ?? "machine")", JSON(bound.bytes),
        "\(Self.names[bound.source] ?? "") \(byteText(bound.bytes))"
          + (ranks > 1 ? " for each of \(ranks) ranks" : ""))
    }
    found.append(
      .ok(
        "memory.cgroup_version", cgroupVersion.map { JSON($0) } ?? .null,
        cgroupVersion.map { "control groups of version \($0)" } ?? "no control groups"))
    for (name, value) in SlurmMemory(environment).unread {
      found.append(
        .warning(
          "memory.unread", .string("\(name)=\(value)"),
          "\(name) is `\(value)`, which is no size in MiB and is left aside",
          do: "set it to a whole number, or give `--memory`"))
    }
    let bytes = MemoryLimit.automatic(bounds)
    let text = "`--memory` is \(byteText(bytes)) unless given: half of the smallest"
    found.append(
      bytes < 256 << 20
        ? .warning(
          "memory.default", JSON(bytes), "\(text), which is little",
          do: "ask for more memory (`--mem`, `--mem-per-cpu`), or start fewer ranks on a node")
        : .ok("memory.default", JSON(bytes), text))
    return found
  }

  private static let keys: [MemoryLimit.Bound.Source: String] = [
    .machine: "machine", .cgroup: "cgroup", .slurmNode: "slurm_mem_per_node",
    .slurmCPU: "slurm_mem_per_cpu", .addresses: "address_space",
  ]

  private static let names: [MemoryLimit.Bound.Source: String] = [
    .machine: "the machine has", .cgroup: "the control group allows",
    .slurmNode: "SLURM_MEM_PER_NODE allows", .slurmCPU: "SLURM_MEM_PER_CPU and the CPUs allow",
    .addresses: "`ulimit -v` leaves",
  ]
}

/// Limits of a process (`ulimit`) that runs may meet.
struct LimitsCheck {
  /// Files that may be open at once; nil for any number.
  let files: Int?
  /// Bytes that may be locked in memory; nil for any number.
  let locked: Int?
  /// Bytes of the stack of a thread; nil for any number.
  let stack: Int?
  /// Whether there is a network that wants locked memory.
  let hasFabric: Bool

  /// The limits of this process.
  static func ofThisProcess() -> Self {
    Self(
      files: softLimit(RLIMIT_NOFILE), locked: softLimit(__RLIMIT_MEMLOCK),
      stack: softLimit(RLIMIT_STACK),
      hasFabric: access("/sys/class/infiniband", F_OK) == 0)
  }

  var findings: [DoctorFinding] {
    var found: [DoctorFinding] = []
    if let files, files < 256 {
      found.append(
        .warning(
          "limits.open_files", JSON(files), "\(files) files may be open at once, which is few",
          do: "`ulimit -n 1024` before the program starts"))
    } else {
      found.append(
        .ok(
          "limits.open_files", files.map { JSON($0) } ?? .null,
          "\(files.map { grouped($0) } ?? "any number of") files may be open at once"))
    }
    if hasFabric, let locked, locked < 64 << 20 {
      found.append(
        .warning(
          "limits.locked_memory", JSON(locked),
          "\(byteText(locked)) may be locked in memory, and MPI over InfiniBand wants more",
          do: "let the administrator set `memlock` to unlimited on all nodes"))
    }
    if let stack, stack < 512 << 10 {
      found.append(
        .warning(
          "limits.stack", JSON(stack),
          "a thread has a stack of \(byteText(stack)), which is little",
          do: "`ulimit -s 8192` before the program starts"))
    }
    return found
  }
}

/// The soft limit of a resource; nil when there is none.
private func softLimit(_ resource: __rlimit_resource) -> Int? {
  var limit = rlimit()
  guard getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0 else { return nil }
  return limit.rlim_cur >= 1 << 62 ? nil : Int(limit.rlim_cur)
}
