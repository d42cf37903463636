package import OMJSON

/// Something that `verify` found.
package struct Finding: Sendable, Equatable {
  /// What it is; the subject is a whole path.
  package let fault: Fault
  /// The position in the grid of readable chunks, where it concerns one.
  package let position: [Int]?

  /// Makes a finding.
  package init(_ fault: Fault, position: [Int]? = nil) {
    self.fault = fault
    self.position = position
  }

  fileprivate func isBefore(_ other: Finding) -> Bool {
    if fault.subject != other.fault.subject { return fault.subject < other.fault.subject }
    let (left, right) = (position ?? [], other.position ?? [])
    if left != right { return left.lexicographicallyPrecedes(right) }
    return fault.message < other.fault.message
  }
}

/// Findings in order: all are counted, the first are kept.
package struct FindingList: Sendable {
  /// The most that are kept.
  package static let limit = 1000

  /// How many there are.
  package private(set) var count = 0
  /// The first of them by path and position, however they were found.
  package private(set) var listed: [Finding] = []
  /// The first of each kind.
  private var firstOfKind: [FaultKind: Finding] = [:]

  /// Adds a finding.
  mutating func add(_ finding: Finding) {
    count += 1
    let kind = finding.fault.kind
    if firstOfKind[kind].map(finding.isBefore) ?? true { firstOfKind[kind] = finding }
    if listed.count == Self.limit {
      guard let last = listed.last, finding.isBefore(last) else { return }
      listed.removeLast()
    }
    var (low, high) = (0, listed.count)
    while low < high {
      let middle = (low + high) / 2
      if finding.isBefore(listed[middle]) { high = middle } else { low = middle + 1 }
    }
    listed.insert(finding, at: low)
  }

  /// Whether a finding about this subject is kept.
  func names(_ subject: String) -> Bool { listed.contains { $0.fault.subject == subject } }

  /// The first of the gravest kind (design, table of exit codes).
  package var gravest: Finding? {
    let codes = Set(firstOfKind.values.map(\.fault.exitCode))
    guard let code = gravestExitCode(codes) else { return nil }
    return firstOfKind.values.filter { $0.fault.exitCode == code }.min { $0.isBefore($1) }
  }
}

/// What `verify` looked at, and what it found.
package struct VerifyReport: Sendable {
  /// Images, label images included.
  package var images = 0
  /// Arrays whose chunks were read.
  package var arrays = 0
  /// Stored chunks or shards that were read.
  package var stored = 0
  /// Their bytes.
  package var bytes = 0
  /// Entries of an archive whose checksums were compared.
  package var entries = 0
  /// Chunks that were decoded and are sound.
  package var sound = 0
  /// Chunks that are not stored and count as fill value.
  package var absent = 0
  /// Bytes in shards that nothing refers to.
  package var unused = 0
  /// What is damaged.
  package var problems = FindingList()
  /// What a person may want to know and what harms nobody.
  package var notes = FindingList()
  /// What was repaired.
  package var repairs: [String] = []

  /// The exit code: 0, or that of the gravest problem.
  package var exitCode: Int32 { problems.gravest?.fault.exitCode ?? 0 }
}
