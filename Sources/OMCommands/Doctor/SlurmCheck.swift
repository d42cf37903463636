import OMJSON

/// The job of Slurm around this process, and what Slurm is here.
struct SlurmCheck {
  /// The variables.
  let environment: Environment
  /// Runs a program of Slurm and gives its answer; nil when it is not on the `PATH`.
  let ask: @Sendable ([String]) -> AskedProgram.Answer?

  /// Asks the programs on the `PATH`; each may take three seconds.
  init(_ environment: Environment) {
    self.environment = environment
    ask = { words in
      AskedProgram(words[0], environment)?.answer(
        to: Array(words.dropFirst()), environment, within: 3)
    }
  }

  /// Asks a stand-in.
  init(_ environment: Environment, ask: @escaping @Sendable ([String]) -> AskedProgram.Answer?) {
    (self.environment, self.ask) = (environment, ask)
  }

  private var job: String? { SlurmJob.number(environment) }

  var findings: [DoctorFinding] {
    guard let version = ask(["sinfo", "--version"]) else {
      return [.ok("slurm.version", .null, "no Slurm on the PATH")]
    }
    var found: [DoctorFinding] = [
      version.isGood
        ? .ok("slurm.version", .string(version.firstLine), version.firstLine)
        : .note("slurm.version", .null, "Slurm is on the PATH, but there is no cluster to talk to")
    ]
    if !version.isGood { return found }
    if let job {
      found += inJob(job)
    } else {
      found.append(.ok("slurm.job", .null, "not in a job"))
    }
    return found + [accounting].compactMap { $0 }
  }

  private func inJob(_ job: String) -> [DoctorFinding] {
    var found: [DoctorFinding] = [.ok("slurm.job", .string(job), "in job \(job)")]
    found.append(timeLeft)
    guard let facts = record(["scontrol", "-o", "show", "job", job]) else {
      return found + [.note("slurm.requeue", .null, "`scontrol` does not tell of this job")]
    }
    let restarts = facts["Restarts"].flatMap(Int.init) ?? 0
    found.append(
      facts["Requeue"] == "1"
        ? .ok(
          "slurm.requeue", true,
          "this job may be queued again (\(counted(restarts, "restart")) so far)")
        : .note(
          "slurm.requeue", false, "this job may not be queued again when it is stopped",
          do: "`#SBATCH --requeue`, and `scontrol requeue` after exit code 75 as in Slurm/"))
    if let name = facts["Partition"] { found += partition(name) }
    return found
  }

  private var timeLeft: DoctorFinding {
    let key = "slurm.seconds_left"
    let now = JobEnd.now()
    let end = JobEnd.find(environment, now: now) { words in
      ask(words).flatMap { $0.isGood ? $0.text : nil }
    }
    switch end {
    case .never: return .ok(key, .null, "the job has no limit of time")
    case .unknown:
      return .note(key, .null, "when the job ends is not known, so `--stop-before` cannot work")
    case .at(let time):
      let seconds = max(0, Int(time - now))
      let text = "the job ends in \(durationText(Double(seconds)))"
      if seconds >= 240 { return .ok(key, JSON(seconds), text) }
      return .warning(
        key, JSON(seconds), "\(text), and scripts in Slurm/ stop their runs three minutes before",
        do: "ask for more time (`--time`), or `--stop-before` with fewer seconds")
    }
  }

  /// What of a partition matters for runs.
  private func partition(_ name: String) -> [DoctorFinding] {
    guard let facts = record(["scontrol", "-o", "show", "partition", name]) else { return [] }
    let preemption = facts["PreemptMode"] ?? "OFF"
    let value: JSON = [
      "name": .string(name), "max_time": .string(facts["MaxTime"] ?? ""),
      "preempt_mode": .string(preemption),
    ]
    let text = "partition \(name), at most \(facts["MaxTime"] ?? "?")"
    if ["CANCEL", "REQUEUE"].contains(where: preemption.contains) {
      return [
        .note(
          "slurm.partition", value,
          "\(text); jobs may be taken off (\(preemption), \(facts["GraceTime"] ?? "0") s of grace)",
          do: "`--signal=USR1@180 --requeue`; the same command goes on where it was")
      ]
    }
    return [.ok("slurm.partition", value, text)]
  }

  /// Engines ask `sacct` how a job ended.
  private var accounting: DoctorFinding? {
    guard let answer = ask(["sacct", "-n", "-X", "-j", job ?? "1", "-o", "JobID"]) else {
      return nil
    }
    if answer.isGood { return .ok("slurm.accounting", true, "`sacct` answers") }
    return .note(
      "slurm.accounting", false, "`sacct` has nothing to tell: \(answer.firstLine)",
      do: "engines must ask `squeue` and `scontrol`; Snakemake: `--slurm-status-command squeue`")
  }

  /// What a program says as `Name=value` words.
  private func record(_ words: [String]) -> [String: String]? {
    guard let answer = ask(words), answer.isGood else { return nil }
    let pairs = answer.text.split(whereSeparator: \.isWhitespace).map { word in
      let name = word.prefix { $0 != "=" }
      return (String(name), String(word.dropFirst(name.count + 1)))
    }
    return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
  }
}
