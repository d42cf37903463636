package import OMTask

extension StopSwitch {
  /// Does something with a task and ends what was started for it, in order or, when the process is
  /// made to end, at once.
  ///
  /// - Parameters:
  ///   - program: The task's program.
  ///   - body: What is done.
  /// - Returns: What `body` returns.
  /// - Throws: What `body` throws.
  package func using<Result, Failure: Error>(
    _ program: any TaskProgram, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // Programs end before locks are given back, so that nobody works beside them.
    let ending = atForcedEnd(beforeAll: true) { program.abandon() }
    defer {
      program.end()
      forget(ending)
    }
    return try body()
  }
}
