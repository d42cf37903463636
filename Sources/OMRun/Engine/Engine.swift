package import OMJSON
import OMStore

/// What walks over pieces of work: one thread, several threads, or the ranks of an MPI job.
///
/// The pieces, their owners and the data are three separate things: a plan says which pieces there
/// are and which rank owns each; an engine only sees to it that every piece is done once.
package protocol Engine: Sendable {
  /// The ranks and the messages between them.
  var communicator: any Communicator { get }
  /// Worker threads of this rank.
  var workerCount: Int { get }
  /// What its workers do.
  var work: WorkLog { get }
  /// Does every piece that this rank owns, in any order and on any worker.
  ///
  /// *Local*. Within `agree`, a piece that fails also ends the walks of the other ranks there.
  ///
  /// - Parameters:
  ///   - pieces: How many pieces this rank owns.
  ///   - most: The most workers that may run at once.
  ///   - name: Names a piece for a message about it.
  ///   - body: Does one piece with the buffers of one worker.
  /// - Throws: The first error of a body, or the fault of a stop that somebody asked for; no
  ///   further piece is begun after either.
  func walk(
    _ pieces: Int, most: Int, name: @escaping @Sendable (Int) -> String,
    _ body: @Sendable (Int, Worker) throws -> Void
  ) throws
  /// Closes the arrays that the workers read, and tells what was read since the last time.
  ///
  /// *Local*.
  func closeReaders() -> ReadTotals
}

extension Engine {
  /// The number of this rank.
  package var rank: Int { communicator.rank }
  /// The number of ranks.
  package var rankCount: Int { communicator.size }

  /// Does every piece that this rank owns, on all workers.

  ///

  /// *Local*.
  func walk(
    _ pieces: Int, name: @escaping @Sendable (Int) -> String = { "region \($0)" },
    _ body: @Sendable (Int, Worker) throws -> Void
  ) throws {
    try walk(pieces, most: workerCount, name: name, body)
  }

  /// Does every piece that this rank owns; the pieces are regions without a better name.

  ///

  /// *Local*.
  func walk(
    _ pieces: Int, most: Int, _ body: @Sendable (Int, Worker) throws -> Void
  ) throws {
    try walk(pieces, most: most, name: { "region \($0)" }, body)
  }

  /// Does local work on every rank and lets all ranks agree on how it ended.

  ///

  /// *Collective*.
  ///
  /// - Throws: On every rank the fault of the lowest rank that failed.
  package func agree<Value>(_ work: () throws -> Value) throws -> Value {
    if rankCount > 1 { self.work.beginMeeting() }
    let result = Result { try work() }
    if rankCount > 1 {
      let answers = try communicator.gatherAll(result.status(on: rank)).filter { !$0.isEmpty }
      if let answer = answers.first(where: { $0 != givenUp }) {
        throw try Fault(decoding: JSON(parsing: answer, subject: "the fault of a rank"))
      }
      if !answers.isEmpty {
        throw Fault(.internal, "", "a rank gave up its work, but no rank failed")
      }
    }
    return try result.get()
  }
}

/// What a rank tells that only gave up because of another rank's fault.
private let givenUp = Array("null".utf8)

extension Result {
  /// How the work of a rank ended, as a message: empty when it is done.
  fileprivate func status(on rank: Int) -> [UInt8] {
    guard case .failure(let error) = self else { return [] }
    if error is GivenUp { return givenUp }
    return Array(Fault(wrapping: error).met(by: rank).encoded().text().utf8)
  }
}

extension Fault {
  /// Any error as a fault; what is not a fault is a bug of ours.
  package init(wrapping error: any Error) {
    self = (error as? Fault) ?? Fault(.internal, "", "unexpected error: \(error)")
  }

  /// The same fault with the machine on which a rank met it.
  ///
  /// It is told only where the ranks before had no fault: mostly a file system that is not mounted everywhere.
  ///
  /// - Parameters:
  ///   - rank: The rank; where rank 0 meets a fault all do.
  ///   - host: The name of its machine.
  /// - Returns: The fault.
  func met(by rank: Int, on host: String = hostName()) -> Fault {
    guard rank > 0, [.missing, .permission, .io].contains(kind) else { return self }
    var copy = self
    copy.facts.append("rank \(rank) on \(host) met this")
    if kind == .missing {
      copy.hint =
        "is the same file system mounted on \(host)? `omtask doctor` with this path, started there, tells more"
    }
    return copy
  }

  /// Whether it ends the whole run and says nothing about the image in hand: somebody stopped the
  /// run, or nothing moves any more.
  package var endsRun: Bool {
    switch kind {
    case .stopped, .signal, .stalled: true
    default: false
    }
  }

  /// The fault as JSON.
  package func encoded() -> JSON {
    var object = JSONObject()
    object["kind"] = .string(kind.rawValue)
    object["subject"] = .string(subject)
    object["message"] = .string(message)
    object["facts"] = .array(facts.map { .string($0) })
    if let hint { object["hint"] = .string(hint) }
    if signal != 0 { object["signal"] = JSON(Int(signal)) }
    return .object(object)
  }

  /// Reads what `encoded` wrote.
  package init(decoding json: JSON) throws(Fault) {
    guard let object = json.objectValue,
      let kind = object["kind"]?.stringValue.flatMap(FaultKind.init(rawValue:)),
      let subject = object["subject"]?.stringValue, let message = object["message"]?.stringValue
    else { throw Fault(.internal, "", "a rank sent a fault that cannot be read") }
    self.init(
      kind, subject, message, facts: object["facts"]?.arrayValue?.compactMap(\.stringValue) ?? [],
      hint: object["hint"]?.stringValue,
      signal: object["signal"]?.intValue.flatMap(Int32.init(exactly:)) ?? 0)
  }
}
