package import OMJSON

/// The ranks of a run and the messages between them.
///
/// Every call waits sleepily. All calls are made from one thread.
package protocol Communicator: Sendable {
  /// The number of this rank, from 0.
  var rank: Int { get }
  /// How many ranks there are.
  var size: Int { get }
  /// Sends bytes to one rank.
  ///
  /// *Local*: returns when the buffer may be reused.
  func send(_ bytes: [UInt8], to rank: Int, tag: Int32) throws(Fault)
  /// Receives the next bytes of one rank with this tag.
  ///
  /// *Local*.
  func receive(from rank: Int, tag: Int32) throws(Fault) -> [UInt8]
  /// Sends one array to every rank and receives one of every rank.
  ///
  /// *Collective*.
  func exchange(_ outgoing: [[UInt8]]) throws(Fault) -> [[UInt8]]
  /// Gives every rank the bytes of every rank, in the order of ranks.
  ///
  /// *Collective*.
  func gatherAll(_ bytes: [UInt8]) throws(Fault) -> [[UInt8]]
  /// Gives every rank the bytes of rank 0.
  ///
  /// *Collective*.
  func broadcast(_ bytes: [UInt8]) throws(Fault) -> [UInt8]
}

/// The communicator of a run with one process.
package struct SoloCommunicator: Communicator {
  /// Makes it.
  package init() {}
  /// Always 0.
  package var rank: Int { 0 }
  /// Always 1.
  package var size: Int { 1 }
  /// A single rank has nobody to send to.
  package func send(_ bytes: [UInt8], to rank: Int, tag: Int32) throws(Fault) {
    throw Fault(.internal, "", "a run with one rank sent a message to rank \(rank)")
  }
  /// A single rank has nobody to hear from.
  package func receive(from rank: Int, tag: Int32) throws(Fault) -> [UInt8] {
    throw Fault(.internal, "", "a run with one rank waited for a message of rank \(rank)")
  }
  /// Returns what was given.
  package func exchange(_ outgoing: [[UInt8]]) throws(Fault) -> [[UInt8]] { outgoing }
  /// Returns what was given.
  package func gatherAll(_ bytes: [UInt8]) throws(Fault) -> [[UInt8]] { [bytes] }
  /// Returns what was given.
  package func broadcast(_ bytes: [UInt8]) throws(Fault) -> [UInt8] { bytes }
}
