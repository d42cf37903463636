/// The variables that a child is started with: ours, without what is none of its business.
struct ChildVariables: Sendable {
  /// Names with values.
  private(set) var values: [String: String]

  /// Of the variables of this process, those that children get.
  ///
  /// Launchers would take a child for one more rank, and passwords are for nobody.
  init(_ own: [String: String]) {
    values = own.filter { !Self.isWithheld($0.key) }
    // Every worker has a child of its own, so each works on one core unless the user says otherwise.
    for name in Self.threadCounts where values[name] == nil { values[name] = "1" }
  }

  /// Sets a variable.
  mutating func set(_ name: String, _ value: String) { values[name] = value }

  /// The variables as the kernel wants them.
  var words: [String] { values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" } }

  private static let threadCounts = [
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS",
  ]

  private static let withheldPrefixes = [
    "OMPI_", "PMIX_", "PMI_", "PRTE_", "AWS_", "AZURE_", "GOOGLE_APPLICATION_",
  ]

  private static let withheldParts = [
    "SECRET", "TOKEN", "PASSWORD", "PASSWD", "CREDENTIAL", "API_KEY", "PRIVATE_KEY",
  ]

  /// Whether children do not get a variable.
  static func isWithheld(_ name: String) -> Bool {
    let upper = name.uppercased()
    return withheldPrefixes.contains(where: upper.hasPrefix)
      || withheldParts.contains(where: upper.contains)
  }
}
