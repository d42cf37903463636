import Synchronization

extension Validator {
  /// Does `count` pieces of work on all threads, and returns what they gave in their order.
  ///
  /// Each piece gets a validator that works on one thread, so that pieces do not spread in turn; a single
  /// piece gets all threads.
  func each<Result: Sendable>(
    _ count: Int, _ body: @Sendable (Validator, Int) -> Result
  ) -> [Result] {
    let workers = min(options.threads, count)
    if workers <= 1 { return (0..<count).map { body(self, $0) } }
    var single = options
    single.threads = 1
    let worker = Validator(single)
    let next = Atomic(0)
    let results = Mutex<[Int: Result]>([:])
    options.inParallel(workers) { _ in
      while true {
        let place = next.add(1, ordering: .relaxed).oldValue
        if place >= count { return }
        let result = body(worker, place)
        results.withLock { $0[place] = result }
      }
    }
    let all = results.withLock { $0 }
    return (0..<count).compactMap { all[$0] }
  }
}
