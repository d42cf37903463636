import Glibc

/// Who holds a lock: the processes of a run, and the scheduler's job that started them.
///
/// It is written into the lock's file, so that others can name it and see when it has surely ended.
package struct LockHolder: Sendable, Equatable {
  /// The machines on which it runs; the first is that of the process that took the lock.
  package private(set) var machines: [LockMachine]
  /// The scheduler's job, if there is one.
  package let job: LockJob?
  /// When it took the lock, in seconds since 1970 by its own clock; only people read it.
  package var since: Int

  /// This process, now.
  package static func thisProcess() -> LockHolder {
    LockHolder(machines: [.this], job: .this, since: time(nil))
  }

  init(machines: [LockMachine], job: LockJob?, since: Int) {
    self.machines = machines
    self.job = job
    self.since = since
  }

  /// The same holder with the processes of other ranks.
  package func joined(with others: [LockHolder]) -> LockHolder {
    var joined = self
    for machine in others.flatMap(\.machines) {
      let place = joined.machines.firstIndex { $0.isSame(as: machine) }
      if let place {
        for process in machine.processes where !joined.machines[place].processes.contains(process) {
          joined.machines[place].processes.append(process)
        }
      } else {
        joined.machines.append(machine)
      }
    }
    return joined
  }

  /// The machine of the process that took the lock.
  package var host: String { machines[0].host }
  /// The number of the process that took the lock, on its machine.
  package var process: Int32 { machines[0].processes[0].number }

  /// Whether it has surely ended: each of its processes ran on this machine and is no more, or the
  /// scheduler has started its job anew.
  package var hasEnded: Bool {
    if let job, let here = LockJob.this, job.id == here.id, job.restarts < here.restarts {
      return true
    }
    return machines.allSatisfy { machine in
      machine.isSame(as: .this) && machine.processes.allSatisfy(\.hasEnded)
    }
  }

  /// Whether one of its processes surely runs, which can be seen on this machine only.
  package var isAlive: Bool {
    machines.contains { machine in
      machine.isSame(as: .this) && machine.processes.contains { !$0.hasEnded }
    }
  }
}

extension LockHolder: CustomStringConvertible {
  /// Such as: process 4711 on node7 (job 1234) since 2026-11-21 08:30:54 UTC.
  package var description: String {
    let job = job.map { " (job \($0.id))" } ?? ""
    return "process \(process) on \(host)\(job) since \(utcText(since))"
  }
}

/// A machine, or a container that numbers its processes by itself.
package struct LockMachine: Sendable, Equatable {
  /// Its name.
  package let host: String
  /// The kernel's name for the time since it was started.
  let boot: String
  /// The kernel's name for the set of processes that can see each other.
  let processSpace: String
  /// The processes there.
  package var processes: [LockProcess]

  /// Whether process numbers of the one mean the same on the other.
  func isSame(as other: LockMachine) -> Bool {
    !boot.isEmpty && boot == other.boot && host == other.host
      && processSpace == other.processSpace
  }

  /// The machine this process runs on, with this process alone.
  static let this = LockMachine(
    host: hostName(), boot: firstLine(of: "/proc/sys/kernel/random/boot_id") ?? "",
    processSpace: linkTarget(of: "/proc/self/ns/pid"),
    processes: [LockProcess(number: getpid(), started: startOfProcess("self")?.time ?? 0)])
}

/// A process; since numbers come again, with the time of its start.
package struct LockProcess: Sendable, Equatable {
  /// Its number, at least 1.
  package let number: Int32
  /// When it started, in ticks since the machine was started; 0 when that is not known.
  let started: Int

  /// Whether no such process runs on this machine any more.
  var hasEnded: Bool {
    if kill(number, 0) != 0 && errno == ESRCH { return true }
    // What is hidden from us may run.
    guard let found = startOfProcess(String(number)) else { return false }
    return found.isZombie || started != 0 && found.time != started
  }
}

/// A job of the scheduler.
package struct LockJob: Sendable, Equatable {
  /// Its number, which it keeps when it is started anew.
  package let id: String
  /// How often it was started anew.
  package let restarts: Int

  /// The job this process belongs to.
  static let this: LockJob? = {
    guard let id = environment("SLURM_JOB_ID") else {
      return (environment("PBS_JOBID") ?? environment("LSB_JOBID")).map {
        LockJob(id: $0, restarts: 0)
      }
    }
    let restarts = environment("SLURM_RESTART_COUNT").flatMap { Int($0) } ?? 0
    // Numbers of jobs are unique within a cluster only.
    let cluster = environment("SLURM_CLUSTER_NAME").map { "@\($0)" } ?? ""
    return LockJob(id: id + cluster, restarts: restarts)
  }()
}

private func environment(_ name: String) -> String? {
  guard let value = getenv(name) else { return nil }
  let text = String(cString: value)
  return text.isEmpty ? nil : text
}
