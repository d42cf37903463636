package import OMJSON

extension Fault {
  /// What is said when a library cannot be loaded that only some inputs need.
  ///
  /// - Parameters:
  ///   - library: Its name.
  ///   - reason: What the loader says.
  ///   - purpose: What needs it.
  ///   - package: The Debian package that has it.
  package init(
    lacking library: String, _ reason: UnsafePointer<CChar>?, for purpose: String, package: String
  ) {
    self.init(
      .unsupported, "",
      "\(purpose) need \(library): \(reason.map { String(cString: $0) } ?? "it is not there")",
      hint: "install it, on Debian the package \(package)")
  }
}
