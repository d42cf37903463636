import CSys
import Glibc
import OMJSON
import OMRun
import OMStore
import Synchronization

/// Waits on a thread of its own for what ends a run before its time: signals, the end of the job,
/// and work that does not move on.
///
/// Regions in hand get half a second after INT, TERM or HUP; then the process ends, whatever its
/// threads do.
final class StopWatcher: Sendable {
  /// What is watched.
  struct Watch: Sendable {
    /// Seconds before the end of the job at which the run stops; nil does not ask.
    var stopBefore: Int?
    /// Seconds without a finished region after which the run is over; 0 leaves that to others.
    var stallTimeout = 0
  }

  private enum Phase { case running, over, ending }

  private let stop: StopSwitch
  private let console: Console
  private let watch: Watch
  private let environment: Environment
  private let phase = Mutex(Phase.running)

  /// Seconds that regions in hand get.
  private static let patience = 0.5
  /// Milliseconds after which an ending process ends by itself; launchers kill after a second.
  private static let lastMoment: Int32 = 900

  /// Makes a watcher; `start` begins.
  init(_ watch: Watch, _ stop: StopSwitch, _ console: Console, _ environment: Environment) {
    self.watch = watch
    self.stop = stop
    self.console = console
    self.environment = environment
  }

  /// Begins to listen.
  func start() {
    if om_listen_to_signals() != 0 { return }
    stop.whenRequested { om_wake() }
    if let thread = startThread({ self.run() }) { pthread_detach(thread) }
  }

  /// Leaves the end of the process to the caller; does not return when it is ending already.
  func finish() {
    let isEnding = phase.withLock { phase in
      if phase == .running { phase = .over }
      return phase == .ending
    }
    while isEnding { sleep(1) }
    om_wake()
  }

  private func run() {
    let end = jobEnd()
    var deadline: SuspendingClock.Instant?
    var heard: Int32 = 0
    var clock = UnbrokenTime(patience: Double(watch.stallTimeout))
    while phase.withLock({ $0 == .running }) {
      om_wait_for_signal(Int32(clamping: Int(1000 * sleepTime(end, deadline))))
      clock.look()
      listen(end, &heard)
      if watch.stallTimeout > 0 { noticeStall(clock) }
      guard let reason = stop.reason, reason.isUrgent else { continue }
      let until = deadline ?? .now + .seconds(Self.patience)
      if deadline == nil { om_end_after(Self.lastMoment, stop.fault.exitCode) }
      deadline = until
      if .now >= until { return endProcess() }
    }
  }

  /// Seconds to the next look; less than 0 when only a signal can change anything.
  private func sleepTime(_ end: JobEnd, _ deadline: SuspendingClock.Instant?) -> Double {
    if let deadline { return max(0, (deadline - .now) / .seconds(1)) + 0.001 }
    var next = Double.infinity
    if watch.stallTimeout > 0 { next = min(1, Double(watch.stallTimeout) / 4) }
    if case .at(let time) = end, let before = watch.stopBefore, !stop.isOn {
      // Clocks may be set meanwhile, so that a long sleep would miss the moment.
      next = min(next, max(0.001, min(30, time - Double(before) - JobEnd.now())))
    }
    return next == .infinity ? -1 : next
  }

  /// Looks at everything that can end the run; `heard` is the signal that was told already.
  private func listen(_ end: JobEnd, _ heard: inout Int32) {
    let (ending, notice) = (om_ending_signal(), om_notice_signal())
    // A request wakes this thread again, so each is made once.
    if ending != 0 {
      if heard == 0 { stop.request(.signal(ending)) }
      heard = ending
    } else if notice != 0, !stop.isOn {
      stop.request(.notice(signal: notice))
    }
    if case .at(let time) = end, let before = watch.stopBefore, !stop.isOn {
      let left = time - JobEnd.now()
      if left <= Double(before) { stop.request(.jobEnds(seconds: max(0, Int(left)))) }
    }
  }

  private func noticeStall(_ clock: UnbrokenTime) {
    guard stop.reason?.isUrgent != true, var still = stop.work.stillness else { return }
    still.seconds = min(still.seconds, clock.seconds)
    if still.seconds >= Double(watch.stallTimeout) {
      stop.request(.stalled(still.sentence(place: "")))
    }
  }

  private func jobEnd() -> JobEnd {
    guard watch.stopBefore != nil else { return .unknown }
    let end = JobEnd.find(environment, now: JobEnd.now())
    if end == .unknown {
      console.warning(
        "`--stop-before` has no effect, the end of the job is not known; where no Slurm tells it, "
          + "set SLURM_JOB_END_TIME to seconds since 1970")
    }
    return end
  }

  private func endProcess() {
    let isMine = phase.withLock { phase in
      defer { if phase == .running { phase = .ending } }
      return phase == .running
    }
    if !isMine { return }
    console.live("")
    var fault = stop.fault
    fault.hint = StopSwitch.wayOn
    console.error(fault)
    stop.releaseAll()
    _exit(fault.exitCode)
  }
}
