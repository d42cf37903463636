/// Swift names made from names in manifests.
package enum SwiftName {
  /// A type name: `GaussianBlur` for `gaussian-blur`.
  package static func type(_ name: String) -> String {
    words(name).map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
  }

  /// A property or case name: `minSize` for `min_size`; reserved words get backticks.
  package static func member(_ name: String) -> String {
    let upper = type(name)
    let lower = upper.prefix(1).lowercased() + upper.dropFirst()
    let safe = lower.first?.isNumber == true ? "_\(lower)" : lower
    return reservedWords.contains(safe) ? "`\(safe)`" : safe
  }

  private static func words(_ name: String) -> [Substring] {
    name.split { !$0.isLetter && !$0.isNumber }
  }

  private static let reservedWords: Set<String> = [
    "as", "associatedtype", "break", "case", "catch", "class", "continue", "default", "defer",
    "deinit", "do", "else", "enum", "extension", "fallthrough", "false", "fileprivate", "for",
    "func", "guard", "if", "import", "in", "init", "inout", "internal", "is", "let", "nil",
    "operator", "precedencegroup", "private", "protocol", "public", "repeat", "rethrows", "return",
    "self", "static", "struct", "subscript", "super", "switch", "throw", "throws", "true", "try",
    "typealias", "var", "where", "while",
  ]
}
