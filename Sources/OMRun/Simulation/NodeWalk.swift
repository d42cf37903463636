/// One piece of work in a simulation.
struct SimulatedJob {
  /// Seconds on a processor that has nothing else to do.
  var cpu: Double
  /// Seconds of waiting before, which need no processor.
  var wait = 0.0
}

/// What machines a simulated run has.
package struct SimulatedMachine: Sendable, Equatable {
  /// Threads that one machine runs at once.
  package var cores: Int
  /// Ranks that share one.
  package var ranksPerNode: Int
  /// By which factor work takes longer when all cores are busy.
  var contention = 1.0

  /// Makes machines.
  package init(cores: Int, ranksPerNode: Int) {
    self.cores = max(1, cores)
    self.ranksPerNode = max(1, ranksPerNode)
  }

  /// Work that each of so many busy workers does in a second, in seconds of a worker that is alone.
  func speed(busy: Int) -> Double {
    let running = min(busy, cores)
    let crowding = cores > 1 ? Double(running - 1) / Double(cores - 1) : 0
    let share = busy > cores ? Double(cores) / Double(busy) : 1
    return share / (1 + (contention - 1) * crowding)
  }
}

/// The workers of the ranks of one machine, each of which takes the next piece of its rank when it is
/// free, as `ThreadEngine` has it.
///
/// Busy workers share the cores evenly, so all of them get on at the same pace; `paced` counts the work
/// that a worker has done since the start who was always busy.
struct NodeWalk {
  private let machine: SimulatedMachine
  private var queues: [[SimulatedJob]]
  private var next: [Int]
  private var busy = EventHeap()
  private var waiting = EventHeap()
  private var clock = 0.0
  private var paced = 0.0

  /// Lets every rank do its jobs on some workers.
  ///
  /// - Parameters:
  ///   - queues: For each rank of the machine its jobs, in their order.
  ///   - workers: Workers of each rank.
  ///   - machine: The machine.
  /// - Returns: Seconds until the last job is done.
  static func seconds(
    _ queues: [[SimulatedJob]], workers: Int, _ machine: SimulatedMachine
  ) -> Double {
    var walk = NodeWalk(machine: machine, queues: queues)
    for rank in queues.indices {
      for _ in 0..<max(1, workers) { walk.start(rank) }
    }
    return walk.run()
  }

  private init(machine: SimulatedMachine, queues: [[SimulatedJob]]) {
    self.machine = machine
    self.queues = queues
    next = queues.map { _ in 0 }
  }

  private mutating func start(_ rank: Int) {
    guard next[rank] < queues[rank].count else { return }
    let job = queues[rank][next[rank]]
    next[rank] += 1
    if job.wait > 0 {
      waiting.push(Event(time: clock + job.wait, rank: rank, cpu: job.cpu))
    } else {
      busy.push(Event(time: paced + job.cpu, rank: rank, cpu: job.cpu))
    }
  }

  private mutating func run() -> Double {
    while true {
      let speed = machine.speed(busy: busy.count)
      let end = busy.first.map { clock + ($0.time - paced) / speed }
      let wake = waiting.first?.time
      switch (end, wake) {
      case (nil, nil): return clock
      case (let end?, let wake) where wake.map({ end <= $0 }) ?? true:
        if let done = busy.pop() {
          (clock, paced) = (max(clock, end), done.time)
          start(done.rank)
        }
      default:
        if let ready = waiting.pop() {
          paced += busy.isEmpty ? 0 : (ready.time - clock) * speed
          clock = ready.time
          busy.push(Event(time: paced + ready.cpu, rank: ready.rank, cpu: ready.cpu))
        }
      }
    }
  }
}

/// Something that happens at a time.
private struct Event {
  let time: Double
  let rank: Int
  let cpu: Double
}

/// Events, the earliest first; equal times by their ranks, so that a simulation is always the same.
private struct EventHeap {
  private var events: [Event] = []

  var count: Int { events.count }
  var isEmpty: Bool { events.isEmpty }
  var first: Event? { events.first }

  private func isBefore(_ first: Int, _ second: Int) -> Bool {
    (events[first].time, events[first].rank) < (events[second].time, events[second].rank)
  }

  mutating func push(_ event: Event) {
    events.append(event)
    var place = events.count - 1
    while place > 0, isBefore(place, (place - 1) / 2) {
      events.swapAt(place, (place - 1) / 2)
      place = (place - 1) / 2
    }
  }

  mutating func pop() -> Event? {
    if events.isEmpty { return nil }
    events.swapAt(0, events.count - 1)
    let top = events.removeLast()
    var place = 0
    while true {
      var least = place
      for child in [2 * place + 1, 2 * place + 2]
      where child < events.count && isBefore(child, least) { least = child }
      if least == place { return top }
      events.swapAt(place, least)
      place = least
    }
  }
}
