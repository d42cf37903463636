import CSys
import Glibc
import OMJSON
package import OMRun
import OMStore

/// Measures what starting this program costs, alone and as ranks of `mpirun` on this machine.
package struct LaunchBench {
  /// The program.
  package let program: String
  /// The words that do a task on a tiny image.
  package let words: (_ image: String, _ report: String) -> [String]
  /// Variables for the program and the launcher.
  package let environment: [String: String]
  /// Where files go.
  package let folder: String
  /// Ends it before its time.
  package let stop: StopSwitch

  private static let repeats = 3
  /// Seconds after which a call is given up.
  private static let patience = 20.0

  /// Makes a measurement.
  package init(
    program: String, environment: [String: String], folder: String, stop: StopSwitch,
    words: @escaping (_ image: String, _ report: String) -> [String]
  ) {
    self.program = program
    self.environment = environment
    self.folder = folder
    self.stop = stop
    self.words = words
  }

  /// Measures one process and, where there is an `mpirun`, some numbers of ranks.
  ///
  /// - Parameter ranks: The numbers of ranks.
  /// - Returns: The costs, and why there are none of ranks.
  /// - Throws: What this program says when it is started alone, and the fault of a stop.
  package func costs(ranks: [Int]) throws -> (costs: LaunchCosts, note: String?) {
    var costs = LaunchCosts()
    let alone = try typical([program], "alone")
    (costs.process, costs.alone) = (alone.start, alone.run)
    guard let launcher = path(of: "mpirun") else {
      return (costs, "there is no `mpirun` on the PATH, so ranks were not measured")
    }
    do {
      for count in ranks {
        let start = [launcher, "--oversubscribe", "--bind-to", "none", "-n", "\(count)", program]
        let taken = try typical(start, "`mpirun -n \(count)`")
        costs.ranks.append(RankCosts(ranks: count, start: taken.start, run: taken.run))
      }
    } catch let fault as Fault where !fault.endsRun {
      return (costs, "ranks were not measured: \(fault.message)")
    }
    return (costs, nil)
  }

  private func typical(_ call: [String], _ name: String) throws -> (start: Double, run: Double) {
    var starts: [Double] = []
    var runs: [Double] = []
    for number in 0..<Self.repeats {
      try stop.check()
      let outer = try OutputFolder(path: folder)
      defer { try? outer.removeTree("launch") }
      _ = try outer.makeFolder("launch")
      let (image, report) = ("\(folder)/launch/image.zarr", "\(folder)/launch/report\(number).json")
      try TaskSample(generated: BenchVolume(generated: [64, 64, 64])).write(to: image)
      let seconds = try wait(call + words(image, report), name)
      let bytes = try outer.folder("launch").read("report\(number).json", limit: 1 << 20) ?? []
      guard let run = try JSON(parsing: bytes, subject: report)["seconds"]?.doubleValue else {
        throw Fault(.internal, "", "a run of \(name) wrote no report")
      }
      starts.append(max(0, seconds - run))
      runs.append(run)
    }
    return (median(starts), median(runs))
  }

  /// Seconds until a program has ended.
  private func wait(_ call: [String], _ name: String) throws -> Double {
    let start = clockSeconds()
    let process = try spawn(call)
    var status: Int32 = 0
    while om_has_ended(process, &status) == 0 {
      if stop.isOn || clockSeconds() - start > Self.patience {
        kill(-process, SIGTERM)
        usleep(200_000)
        kill(-process, SIGKILL)
        waitpid(process, nil, 0)
        try stop.check()
        throw Fault(.stalled, "", "\(name) did not end within \(Int(Self.patience)) s")
      }
      usleep(500)
    }
    let seconds = clockSeconds() - start
    waitpid(process, nil, 0)
    if status != 0 {
      throw Fault(.program, "", "\(name) ended with \(status)")
    }
    return seconds
  }

  private func spawn(_ call: [String]) throws(Fault) -> pid_t {
    var words: [UnsafeMutablePointer<CChar>?] = call.map { strdup($0) } + [nil]
    var variables: [UnsafeMutablePointer<CChar>?] =
      environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in words + variables { free(text) } }
    let quiet = open("/dev/null", O_RDWR | O_CLOEXEC)
    let high = fcntl(quiet, F_DUPFD_CLOEXEC, 10)
    close(quiet)
    defer { close(high) }
    let process = om_spawn(call[0], &words, &variables, [high, high, high], 3)
    if process < 0 { throw Fault(.program, "", "\(call[0]) cannot be started (error \(errno))") }
    return process
  }

  private func path(of name: String) -> String? {
    (environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
      .first { access($0, X_OK) == 0 }
  }
}
