import OMJSON

/// Judges hierarchies and documents of OME-Zarr by every rule of `Rule.all`.
///
/// It reads documents only, never voxels, and nothing outside the store.
package struct Validator: Sendable {
  /// How to judge.
  package struct Options: Sendable {
    /// Whether SHOULDs count like MUSTs.
    package var isStrict = false
    /// The number of threads that read documents.
    package var threads = 1
    /// Calls a function with 0 ..< count, at once, and waits for all calls.
    package var inParallel: @Sendable (_ count: Int, _ body: @Sendable (Int) -> Void) -> Void = {
      count, body in
      for number in 0..<count { body(number) }
    }

    /// Judges on one thread, with SHOULDs as warnings.
    package init() {}
  }

  let options: Options

  /// Makes a validator.
  package init(_ options: Options = Options()) { self.options = options }

  func inspector(_ file: String, _ version: FormatVersion, _ setting: Setting) -> Inspector {
    Inspector(file: file, version: version, setting: setting, isStrict: options.isStrict)
  }

  /// A document that could not be read, as a finding.
  func broken(_ fault: Fault, rule: Rule, file: String, setting: Setting = .hierarchy) -> Findings {
    var inspector = self.inspector(file, .v0_5, setting)
    let rule: Rule =
      switch fault.kind {
      case .json: .documentJSON
      case .limit: .documentReadable
      default: rule
      }
    inspector.report(rule, Spot(.null), fault.message, isMissing: true)
    return inspector.findings
  }
}
