/// What kind of thing went wrong; each kind has one exit code.
///
/// The names are stable: they appear in JSON output and after `error` in plain text.
public enum FaultKind: String, Sendable, CaseIterable {
  case task
  /// A program that is no part of omtask did not do its work.
  case program
  case usage
  case json, metadata, codec, checksum, truncated, zip
  case missing
  case remote
  case `internal`
  case exists
  case io
  case locked, stalled, stopped
  case unsupported
  case path, permission
  case manifest
  case limit
  case signal

  /// The exit code of a run that ends with this kind; `Fault.exitCode` adds the number of a signal.
  public var exitCode: Int32 {
    switch self {
    case .task, .program: 1
    case .usage: 64
    case .json, .metadata, .codec, .checksum, .truncated, .zip: 65
    case .missing: 66
    case .remote: 69
    case .internal: 70
    case .exists: 73
    case .io: 74
    case .locked, .stalled, .stopped: 75
    case .unsupported: 76
    case .path, .permission: 77
    case .manifest: 78
    case .limit: 79
    case .signal: 128
    }
  }
}

/// The one error type of the project: what happened, to which thing, with both values, and a way out.
public struct Fault: Error, Sendable, Equatable {
  /// The kind, which decides the exit code.
  public var kind: FaultKind
  /// The file, key, flag or parameter concerned; empty when the message already names it.
  public var subject: String
  /// What is wrong, with both values, in one sentence without a final stop.
  public var message: String
  /// Further facts, one per line.
  public var facts: [String]
  /// What to do about it.
  public var hint: String?
  /// The signal that ended the run, when the kind is `signal`; 0 otherwise.
  public var signal: Int32

  /// Makes a fault.
  public init(
    _ kind: FaultKind, _ subject: String = "", _ message: String, facts: [String] = [],
    hint: String? = nil, signal: Int32 = 0
  ) {
    self.kind = kind
    self.subject = subject
    self.message = message
    self.facts = facts
    self.hint = hint
    self.signal = signal
  }

  /// The exit code of a run that ends with this fault.
  public var exitCode: Int32 { kind.exitCode + (kind == .signal ? signal : 0) }

  /// The same fault with `prefix` in front of its subject, for a key below a folder.
  public func below(_ prefix: String) -> Fault {
    var copy = self
    copy.subject =
      prefix.isEmpty ? subject : subject.isEmpty ? prefix : "\(prefix)/\(subject)"
    return copy
  }
}

extension Fault: CustomStringConvertible {
  /// Subject and message in one line.
  public var description: String { subject.isEmpty ? message : "\(subject): \(message)" }
}
