/// The memory that a job of Slurm asked for, as its variables tell: in MiB, for each node or each CPU.
///
/// Sites may only count it and not hold the job to it by control groups; who uses more is killed all the
/// same, or takes it from others. Values that are no sizes, and 0 for all of a node, bound nothing.
struct SlurmMemory: Sendable {
  /// Bytes of the job on this node; nil when it asked for none.
  let perNode: Int?
  private let perCPU: Int?
  private let cpusPerTask: Int?
  private let cpusOnNode: Int?
  /// Variables that are set and say no size: name and value.
  let unread: [(name: String, value: String)]

  /// Reads the variables.
  init(_ environment: Environment) {
    var unread: [(name: String, value: String)] = []
    let size = { (name: String) -> Int? in
      guard let value = environment[name], value != "0" else { return nil }
      let bytes = Self.bytes(value)
      if bytes == nil { unread.append((name, value)) }
      return bytes
    }
    perNode = size("SLURM_MEM_PER_NODE")
    perCPU = size("SLURM_MEM_PER_CPU")
    self.unread = unread
    let positive = { (name: String) in environment.number(name).flatMap { $0 > 0 ? $0 : nil } }
    cpusPerTask = positive("SLURM_CPUS_PER_TASK")
    cpusOnNode = positive("SLURM_CPUS_ON_NODE")
  }

  /// Bytes that the CPUs of one task bring; nil when the job did not ask by CPU.
  ///
  /// - Parameter ranksOnNode: How many ranks share the CPUs of this node, where the job does not say how many
  ///   each has.
  /// - Returns: The bytes.
  func perTask(ranksOnNode: Int) -> Int? {
    guard let perCPU else { return nil }
    let cpus = cpusPerTask ?? cpusOnNode.map { max(1, $0 / max(1, ranksOnNode)) } ?? 1
    let (bytes, isTooLarge) = perCPU.multipliedReportingOverflow(by: cpus)
    return isTooLarge ? nil : bytes
  }

  /// A size as Slurm writes it: a number of MiB, or with a unit as `--mem` takes it.
  private static func bytes(_ text: String) -> Int? {
    let isPlain = !text.isEmpty && text.allSatisfy { $0.isASCII && $0.isNumber }
    return ByteCount(text: isPlain ? "\(text)M" : text)?.bytes
  }
}
