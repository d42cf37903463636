package import OMJSON

/// Tells the other ranks what happens here, and notices when one of them is no longer there.
///
/// Every rank sends a sign of life to rank 0, and rank 0 sends one to rank 1, so that each is watched
/// by somebody. Stops and failures go to rank 0, which tells all ranks. One thread of each rank calls
/// `take` and `tick`, in its work and in its waits, some ten times a second.
package final class RankWatch {
  /// What one rank last told.
  private struct Seen {
    var sign = SignOfLife()
    var time: SuspendingClock.Instant
  }

  private let rank: Int
  private let size: Int
  private let host: String
  private let stop: StopSwitch
  /// Seconds of silence that end the run; 0 waits for ever.
  private let patience: Double
  private let send: (_ bytes: [UInt8], _ rank: Int) -> Void

  private var seen: [Int: Seen] = [:]
  private var toldReason: StopSwitch.Reason?
  private var toldMeeting = 0
  private var clock: UnbrokenTime
  private var lastGivenUp: SuspendingClock.Instant?
  private var lastSign: SuspendingClock.Instant?
  /// Pieces that all ranks finished, and when that number changed last.
  private var finished = (count: 0, time: SuspendingClock.now)

  /// Makes the watch of a rank.
  ///
  /// - Parameters:
  ///   - rank: This rank.
  ///   - size: All ranks.
  ///   - host: The name of this machine.
  ///   - patience: Seconds of silence that end the run; 0 waits for ever.
  ///   - stop: The switch of this rank.
  ///   - now: The time.
  ///   - send: Sends a small message to a rank and returns at once; it may be lost when the rank does
  ///     not take messages.
  package init(
    rank: Int, size: Int, host: String, patience: Double, stop: StopSwitch,
    now: SuspendingClock.Instant = .now, send: @escaping (_ bytes: [UInt8], _ rank: Int) -> Void
  ) {
    (self.rank, self.size, self.host, self.patience) = (rank, size, host, patience)
    self.stop = stop
    self.send = send
    clock = UnbrokenTime(patience: patience, now: now)
    finished.time = now
    for other in watched { seen[other] = Seen(time: now) }
  }

  /// The ranks whose signs of life come here.
  private var watched: Range<Int> {
    switch rank {
    case 0: 1..<size
    case 1: 0..<1
    default: 0..<0
    }
  }

  /// Seconds between two signs of life.
  private var interval: Double { patience > 0 ? min(1, patience / 4) : 1 }

  /// Takes a message of another rank.
  package func take(_ bytes: [UInt8], from other: Int, now: SuspendingClock.Instant = .now) {
    // A message that cannot be read is no reason to end a run that goes well.
    guard let message = try? RankMessage(bytes) else { return }
    switch message {
    case .sign(let sign):
      seen[other] = Seen(sign: sign, time: now)
      if rank == 0 { stop.work.note(sign, of: other) }
    case .stop(let reason):
      stop.request(reason)
      // Rank 0 passes it on, the others know that it knows.
      if rank != 0 { toldReason = stop.reason }
    case .failedMeeting(let number):
      stop.work.giveUp(number)
      if rank != 0 { toldMeeting = max(toldMeeting, number) }
    }
  }

  /// Sends what is due and looks who is silent.
  ///
  /// - Returns: Why the whole job must end now, or nil.
  package func tick(now: SuspendingClock.Instant = .now) -> Fault? {
    let gap = clock.look(now: now)
    if gap > 0 { forgive(now) }
    // The last sign left up to a quarter of the patience before.
    if patience > 0 && gap > patience * 0.7 { lastGivenUp = now }
    tell()
    if lastSign.map({ (now - $0) / .seconds(1) >= interval }) ?? true {
      lastSign = now
      sendSign()
    }
    return patience > 0 ? silence(now) : nil
  }

  /// Whether this process was stopped until a moment ago, so that the others have given it up unless
  /// all were stopped.
  package func wasGivenUp(now: SuspendingClock.Instant = .now) -> Bool {
    lastGivenUp.map { (now - $0) / .seconds(1) < 3 } ?? false
  }

  /// This process itself was stopped for a while, perhaps with all others: nobody's silence counts.
  private func forgive(_ now: SuspendingClock.Instant) {
    for other in watched { seen[other]?.time = now }
    finished.time = now
  }

  /// Tells of a stop or a failure that is new.
  private func tell() {
    if let reason = stop.reason, reason != toldReason {
      toldReason = reason
      spread(.stop(reason))
    }
    let meeting = stop.work.givenUpMeeting
    if meeting > toldMeeting {
      toldMeeting = meeting
      spread(.failedMeeting(meeting))
    }
  }

  private func spread(_ message: RankMessage) {
    let bytes = message.bytes
    if rank != 0 { return send(bytes, 0) }
    for other in 1..<size { send(bytes, other) }
  }

  private func sendSign() {
    if size > 1 { send(RankMessage.sign(ownSign).bytes, rank == 0 ? 1 : 0) }
  }

  private var ownSign: SignOfLife {
    var sign = stop.work.sign
    sign.host = host
    return sign
  }

  private func silence(_ now: SuspendingClock.Instant) -> Fault? {
    let silent = seen.filter { (now - $0.value.time) / .seconds(1) >= patience }
    if let (other, last) = silent.min(by: { $0.key < $1.key }) {
      let seconds = Int((now - last.time) / .seconds(1))
      let piece = last.sign.piece.isEmpty ? "" : ", it had \(last.sign.piece) in hand"
      return stalled(
        "\(place(other, last.sign.host)) has given no sign of life for \(seconds) s\(piece)")
    }
    return rank == 0 ? stillness(now) : nil
  }

  /// Whether no rank has finished anything for too long although there is something in hand.
  private func stillness(_ now: SuspendingClock.Instant) -> Fault? {
    var signs = seen.mapValues(\.sign)
    signs[0] = ownSign
    let count = signs.values.reduce(0) { $0 + $1.finished }
    let oldest = signs.max { $0.value.secondsInHand < $1.value.secondsInHand }
    guard count == finished.count, let oldest, oldest.value.secondsInHand >= 0 else {
      finished = (count, now)
      return nil
    }
    let seconds = (now - finished.time) / .seconds(1)
    guard seconds >= patience, oldest.value.secondsInHand >= patience else { return nil }
    let still = WorkLog.Stillness(piece: oldest.value.piece, seconds: seconds)
    return stalled(still.sentence(place: place(oldest.key, oldest.value.host)))
  }

  private func place(_ rank: Int, _ host: String) -> String {
    host.isEmpty ? "rank \(rank)" : "rank \(rank) on \(host)"
  }

  private func stalled(_ sentence: String) -> Fault {
    Fault(.stalled, "", sentence, hint: StopSwitch.wayOn)
  }
}
