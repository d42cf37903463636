import Glibc

/// When the scheduler ends the job that this process runs in.
enum JobEnd: Equatable {
  /// At this time, in seconds since 1970.
  case at(Double)
  /// The job has no time limit.
  case never
  /// Nobody says.
  case unknown

  /// Asks the environment, then Slurm.
  ///
  /// - Parameters:
  ///   - environment: The variables of the process.
  ///   - now: Seconds since 1970.
  ///   - ask: Runs a program and returns what it prints, nil when it does not work.
  /// - Returns: The end of the job.
  static func find(
    _ environment: Environment, now: Double, ask: ([String]) -> String? = answer
  ) -> JobEnd {
    if let end = environment.number("SLURM_JOB_END_TIME") { return .at(Double(end)) }
    guard let job = SlurmJob.number(environment),
      let text = ask(["squeue", "-h", "-j", job, "-o", "%L"])
    else { return .unknown }
    let words = text.split(whereSeparator: \.isWhitespace)
    guard words.count == 1, let word = words.first else { return .unknown }
    if word == "UNLIMITED" { return .never }
    return seconds(String(word)).map { .at(now + Double($0)) } ?? .unknown
  }

  /// Reads a time as Slurm writes it: `MM:SS`, `HH:MM:SS` or `D-HH:MM:SS`.
  static func seconds(_ text: String) -> Int? {
    let halves = text.split(separator: "-", omittingEmptySubsequences: false)
    guard halves.count <= 2, let clock = halves.last else { return nil }
    let parts = clock.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
    let days = halves.count == 2 ? Int(halves[0]) : 0
    guard 2...3 ~= parts.count, let days, 0...36_500 ~= days else { return nil }
    var sum = 0
    for part in parts {
      guard let part, 0...1_000_000 ~= part else { return nil }
      sum = sum * 60 + part
    }
    return days * 86_400 + sum
  }

  /// The time of day in seconds since 1970.
  static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  /// What a program prints; nil when it cannot be started, fails or prints nothing.
  ///
  /// A controller that has just started the job, or is busy, is asked again; one that does not answer is
  /// not waited for.
  private static func answer(_ words: [String]) -> String? {
    let environment = Environment.ofThisProcess()
    guard let program = AskedProgram(words[0], environment) else { return nil }
    for pause: UInt32 in [500_000, 1_000_000, 0] {
      let answer = program.answer(
        to: Array(words.dropFirst()), environment, within: 20, messages: false)
      if answer.isGood, answer.text.contains(where: { !$0.isWhitespace }) { return answer.text }
      usleep(pause)
    }
    return nil
  }
}
