import Foundation
import Testing

@testable import OMValidate

@Suite struct RuleTests {
  @Test func `no two rules have the same name`() {
    let names = Rule.all.flatMap { $0.rules.map(\.name) }
    #expect(Set(names).count == names.count)
    #expect(names.allSatisfy { $0.wholeMatch(of: /[a-z0-9]+(-[a-z0-9]+)+/) != nil })
  }

  @Test func `every rule holds somewhere and says what to do`() {
    for rule in Rule.all.flatMap(\.rules) {
      #expect(!rule.scopes.isEmpty && !rule.fix.isEmpty, "\(rule.name)")
      #expect(!rule.text.hasSuffix(".") && !rule.fix.hasSuffix("."), "\(rule.name)")
    }
  }

  @Test func `the docs list all rules`() throws {
    let page = packageRoot.appending(path: "docs/validate.md")
    let text = try String(contentsOf: page, encoding: .utf8)
    let start = "<!-- rules -->\n"
    let parts = text.components(separatedBy: start)
    #expect(parts.count == 2)
    let table = Rule.all.map { part, rules in
      "\n### \(part)\n\n| rule | level | versions | what is demanded |\n| --- | --- | --- | --- |\n"
        + rules.map(row).joined()
    }.joined()
    if ProcessInfo.processInfo.environment["OMTASK_WRITE_HELP"] == "1" {
      try (parts[0] + start + table).write(to: page, atomically: true, encoding: .utf8)
    }
    #expect(
      parts.last == table,
      "OMTASK_WRITE_HELP=1 swift test --filter RuleTests writes docs/validate.md")
  }

  private func row(_ rule: Rule) -> String {
    let levels = rule.scopes.map {
      $0.level.rawValue + ($0.level == .must && !$0.isInSchema ? "\\*" : "")
    }
    let versions = rule.scopes.map { scope in
      let (first, last) = (scope.versions.lowerBound, scope.versions.upperBound)
      return first == last ? first.rawValue : "\(first.rawValue)–\(last.rawValue)"
    }
    let isOne = Set(levels).count == 1
    let shown =
      isOne
      ? versions.joined(separator: ", ")
      : zip(levels, versions).map { "\($0) \($1)" }.joined(separator: ", ")
    return "| `\(rule.name)` | \(levels[0]) | \(shown) | \(rule.text) |\n"
  }

  @Test(arguments: [
    ("0.4", FormatVersion.v0_4, false), ("0.6rc0", .v0_6, false), ("0.6.dev4", .v0_6, true),
    ("0.9.dev2", .v0_9, false), ("0.9.dev3", .collection, false), ("0.8", .collection, true),
  ])
  func `versions are known in every spelling`(text: String, version: FormatVersion, isDraft: Bool) {
    #expect(WrittenVersion(text).version == version)
    #expect(WrittenVersion(text).isDraft == isDraft)
  }

  @Test(arguments: ["", "0.7", "0.5.1", "latest", "5"])
  func `other versions are not known`(text: String) {
    #expect(WrittenVersion(text).version == nil)
  }
}
