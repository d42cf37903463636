import ArgumentParser
import CSys
import OMJSON

/// How many worker threads a process runs.
enum ThreadSetting: Sendable, Equatable {
  /// As many as this process may use at once.
  case auto
  /// This many.
  case exactly(Int)

  /// Reads `auto` or a number of 1 or more; nil for anything else.
  init?(text: String) {
    if text == "auto" {
      self = .auto
    } else if let count = Int(text), 1...4096 ~= count {
      self = .exactly(count)
    } else {
      return nil
    }
  }

  /// Decides the number of worker threads.
  ///
  /// - Parameters:
  ///   - affinity: CPUs that the process may run on.
  ///   - environment: Where a scheduler or the user says how many to use.
  ///   - cgroup: The limits on CPU time.
  /// - Returns: The number asked for, or what all limits together allow, at least 1.
  func count(affinity: Int, environment: Environment, cgroup: Cgroup) -> Int {
    if case .exactly(let count) = self { return count }
    let limits = [
      environment.number("SLURM_CPUS_PER_TASK"), environment.number("OMP_NUM_THREADS"),
      // Part of a CPU still needs a thread: 1.5 CPUs keep two threads busy.
      cgroup.cpus.map { Int($0.rounded(.up)) },
    ]
    return max(1, limits.compactMap { $0 }.filter { $0 > 0 }.reduce(affinity, min))
  }

  /// The number of worker threads in this process.
  func count(in environment: Environment) -> Int {
    count(
      affinity: Int(om_affinity_count()), environment: environment, cgroup: .ofThisProcess)
  }
}

extension ThreadSetting: ExpressibleByArgument {
  /// Reads the value of `--threads`.
  init?(argument: String) { self.init(text: argument) }
}
