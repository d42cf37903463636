import OMManifest

/// The struct of typed parameters of one task.
enum ParametersTemplate {
  /// The struct's Swift text.
  static func text(for source: ManifestSource) -> String {
    let declarations = source.manifest.parameters.userDeclarations
    return """
      /// The parameters of \(source.manifest.identifier), as its manifest declares them.
      public struct \(source.typePrefix)Parameters: Sendable, Equatable {
      \(declarations.filter { !$0.choices.isEmpty }.map(choices).joined(separator: "\n"))
      \(declarations.map(property).joined(separator: "\n"))

        /// Takes the values that were bound by the manifest.
        public init(_ parameters: Parameters) throws(Fault) {
      \(declarations.map(assignment).joined(separator: "\n"))
        }
      }

      """
  }

  private static func choices(_ declaration: ParameterDeclaration) -> String {
    let cases = declaration.choices.map { choice in
      let name = SwiftName.member(choice)
      return name == choice
        ? "    /// `\(choice)`\n    case \(name)"
        : "    /// `\(choice)`\n    case \(name) = \"\(choice)\""
    }
    return """
        /// The choices of `\(declaration.name)`.
        public enum \(SwiftName.type(declaration.name)): String, Sendable, CaseIterable, ParameterReadable {
      \(cases.joined(separator: "\n"))
        }
      """
  }

  private static func property(_ declaration: ParameterDeclaration) -> String {
    let summary = declaration.description.split(separator: "\n").joined(separator: " ")
    let type = swiftType(declaration) + (alwaysHasValue(declaration) ? "" : "?")
    return """
        /// \(summary.isEmpty ? declaration.title : summary)
        public let \(SwiftName.member(declaration.name)): \(type)
      """
  }

  private static func assignment(_ declaration: ParameterDeclaration) -> String {
    let getter = alwaysHasValue(declaration) ? "required" : "optional"
    return "    \(SwiftName.member(declaration.name)) = "
      + "try parameters.\(getter)(\"\(declaration.name)\")"
  }

  private static func alwaysHasValue(_ declaration: ParameterDeclaration) -> Bool {
    declaration.isRequired || declaration.defaultValue != nil
  }

  private static func swiftType(_ declaration: ParameterDeclaration) -> String {
    if !declaration.choices.isEmpty { return SwiftName.type(declaration.name) }
    return switch declaration.type {
    case .boolean: "Bool"
    case .integer: "Int"
    case .number: "Double"
    case .string: "String"
    case .strings: "[String]"
    case .integers: "[Int]"
    case .numbers: "[Double]"
    case .json: "JSON"
    }
  }
}
