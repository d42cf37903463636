import OMJSON

/// The limits of the control groups that this process is in.
struct Cgroup: Sendable {
  /// Reads a small file as text; nil when there is none.
  typealias Reader = @Sendable (String) -> String?

  private let read: Reader

  /// The control groups as the files of this reader show them.
  init(reader: @escaping Reader) { read = reader }

  /// The control groups of this process.
  static let ofThisProcess = Cgroup { path in
    (try? readFile(path)).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The version of control groups that limits memory here: 1 or 2; nil without any.
  var version: Int? {
    let lines = (read("/proc/self/cgroup") ?? "").split(separator: "\n")
    if lines.contains(where: {
      $0.split(separator: ":").dropFirst().first?.contains("memory") == true
    }) {
      return 1
    }
    return lines.contains { $0.hasPrefix("0::") } ? 2 : nil
  }

  /// The memory limit in bytes; nil when there is none.
  var memory: Int? {
    let unified = folders("", below: "/sys/fs/cgroup").compactMap { number("\($0)/memory.max") }
    let old = folders("memory", below: "/sys/fs/cgroup/memory").compactMap {
      number("\($0)/memory.limit_in_bytes")
    }
    // Version 1 writes "no limit" as a number near 2^63.
    return (unified + old).filter { $0 < 1 << 60 }.min()
  }

  /// How many CPUs' worth of time the groups allow; nil when they allow all.
  var cpus: Double? {
    let unified = folders("", below: "/sys/fs/cgroup").compactMap { folder -> Double? in
      let parts = (read("\(folder)/cpu.max") ?? "").split(whereSeparator: \.isWhitespace)
      guard parts.count == 2, let quota = Double(parts[0]), let period = Double(parts[1]) else {
        return nil
      }
      return share(quota, of: period)
    }
    let old = folders("cpu", below: "/sys/fs/cgroup/cpu").compactMap { folder -> Double? in
      guard let quota = number("\(folder)/cpu.cfs_quota_us"),
        let period = number("\(folder)/cpu.cfs_period_us")
      else { return nil }
      return share(Double(quota), of: Double(period))
    }
    return (unified + old).min()
  }

  /// The folders of the process's group and all groups around it, for one controller.
  ///
  /// Inside a container the path of the host does not exist; the root folder is then the right one.
  private func folders(_ controller: String, below root: String) -> [String] {
    let lines = (read("/proc/self/cgroup") ?? "").split(separator: "\n")
    let paths = lines.compactMap { line -> Substring? in
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { return nil }
      return fields[1].split(separator: ",", omittingEmptySubsequences: false)
        .contains(Substring(controller)) ? fields[2] : nil
    }
    var folders = [root]
    for part in (paths.first ?? "").split(separator: "/") {
      folders.append("\(folders[folders.count - 1])/\(part)")
    }
    return folders
  }

  private func number(_ path: String) -> Int? {
    read(path).flatMap { Int($0.filter { !$0.isWhitespace }) }
  }

  private func share(_ quota: Double, of period: Double) -> Double? {
    quota > 0 && period > 0 ? quota / period : nil
  }
}
