import Foundation
import Testing

/// The compiler lets transitive imports through, so the arrows of ARCHITECTURE.md are checked here.
@Suite struct ArrowTests {
  @Test func `every import follows the table`() throws {
    var wrong: [ImportLine] = []
    for (module, folder) in try SourceFiles.modules() {
      wrong += try SourceFiles.imports(of: module, in: folder)
        .filter { !ArrowTable.allows(module, importing: $0.imported) }
    }
    #expect(wrong.isEmpty, "\(wrong.map(\.description).sorted().joined(separator: "\n"))")
  }

  @Test func `every module is in the table`() throws {
    let modules = Set(try SourceFiles.modules().keys)
    #expect(modules.subtracting(ArrowTable.order).isEmpty)
  }

  @Test func `the table keeps the order of Package swift`() throws {
    let manifest = SourceFiles.root.appending(path: "Package.swift")
    let text = try String(contentsOf: manifest, encoding: .utf8)
    let libraries = text.matches(of: /library\(\s*"(OM\w+)"/).map { String($0.1) }
    #expect(libraries == ArrowTable.order.filter { libraries.contains($0) })
    #expect(libraries.count >= 12)
  }

  @Test(arguments: [
    ("import OMGrid", ["OMGrid"]),
    ("  package import OMGrid", ["OMGrid"]),
    ("@testable import OMRun", ["OMRun"]),
    ("@preconcurrency private import struct OMGrid.Region", ["OMGrid"]),
    ("// import OMRun", []),
    ("let source = \"\"\"\n  import OMTask\n  \"\"\"\nimport OMJSON", ["OMJSON"]),
  ])
  func `an import line is found in every spelling`(text: String, expected: [String]) {
    #expect(SourceFiles.importedModules(in: text).map(\.name) == expected)
  }

  @Test(arguments: [
    ("OMTasks", "OMStore"), ("OMTasks", "OMRun"), ("OMTask", "OMImage"), ("OMRun", "OMMPI"),
    ("OMGrid", "OMZarr"), ("OMRun", "CBlosc"), ("OMImage", "CMPI"), ("OMJSON", "Foundation"),
  ])
  func `an arrow that points upwards or into a foreign room is refused`(from: String, to: String) {
    #expect(!ArrowTable.allows(from, importing: to))
  }
}
