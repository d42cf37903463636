extension Trials {
  /// Checks that partials merge to the same value in any order, as threads and ranks merge them.
  ///
  /// First the laws one by one (identity, then pairs, then triples), so that the message names the
  /// partials that break one; then random trees over all of them.
  ///
  /// - Parameters:
  ///   - partials: Those of some regions, at least one.
  ///   - identity: The partial of no voxels.
  ///   - equal: Whether two partials are the same to the last bit.
  ///   - merge: Adds the second to the first.
  /// - Throws: A ``Difference`` that names the law, and what `merge` throws.
  public func checkMerging<Partial>(
    _ partials: [Partial], identity: Partial, equal: (Partial, Partial) -> Bool,
    merge: (inout Partial, Partial) throws -> Void
  ) throws {
    func sum(_ a: Partial, _ b: Partial) throws -> Partial {
      var merged = a
      try merge(&merged, b)
      return merged
    }
    for (number, partial) in partials.enumerated() {
      if try !equal(sum(identity, partial), partial) || !equal(sum(partial, identity), partial) {
        throw Difference("the identity changes partial \(number) when they are merged")
      }
    }
    var random = TrialRandom(seed: UInt64(bitPattern: Int64(seed)))
    for _ in 0..<rounds {
      let numbers = (0..<3).map { _ in random.below(partials.count) }
      let (a, b, c) = (partials[numbers[0]], partials[numbers[1]], partials[numbers[2]])
      if try !equal(sum(a, b), sum(b, a)) {
        throw Difference(
          "partials \(numbers[0]) and \(numbers[1]) merge to something else the other way round")
      }
      if try !equal(sum(sum(a, b), c), sum(a, sum(b, c))) {
        throw Difference(
          "partials \(numbers[0]), \(numbers[1]) and \(numbers[2]) merge to something else when the "
            + "last two are merged first")
      }
    }
    let reference = try partials.reduce(identity) { try sum($0, $1) }
    for round in 0..<rounds {
      var open = random.order(partials.count).map { partials[$0] }
      while open.count > 1 {
        let first = open.remove(at: random.below(open.count))
        let place = random.below(open.count)
        open[place] = try sum(open[place], first)
      }
      if let merged = open.first, !equal(merged, reference) {
        var difference = Difference("partials merge to something else in another order")
        difference.trial = "a random tree over \(partials.count) partials, number \(round)"
        difference.seed = seed
        throw difference
      }
    }
  }

  /// Checks that partials merge to the same value in any order, compared by `==`.
  ///
  /// - Throws: As the other form.
  public func checkMerging<Partial: Equatable>(
    _ partials: [Partial], identity: Partial, merge: (inout Partial, Partial) throws -> Void
  ) throws {
    try checkMerging(partials, identity: identity, equal: ==, merge: merge)
  }
}
