import OMJSON
import OMManifest
import Testing

@testable import OMCommands

@Suite struct NewTaskTests {
  @Test func `the helper in the program is the one in integrations`() throws {
    let path = projectFolder + "/integrations/python/omtask_region.py"
    #expect(try pythonHelper == String(decoding: readFile(path), as: UTF8.self))
  }

  @Test func `the script in the program is the example`() throws {
    let path = projectFolder + "/Examples/invert/invert.sh"
    #expect(try ShellTemplate.program == String(decoding: readFile(path), as: UTF8.self))
  }

  @Test(arguments: TaskLanguage.allCases, ["Mine", "Bright Spots", "a-b c"])
  func `a new manifest has no mistakes`(language: TaskLanguage, name: String) throws {
    let task = try NewTask(name: name, language: language)
    let text = try #require(task.files.last?.text)
    let findings = ManifestCheck.findings(inText: Array(text.utf8), subject: "new")
    #expect(findings.map(\.finding.message).isEmpty)
    #expect(task.files.last?.name == task.manifestFile)
    #expect(Set(task.files.map(\.name)).count == task.files.count)
    let page = try #require(task.files.first { $0.name == "README.md" }?.text)
    for step in task.steps { #expect(page.contains("\n\(step.call) ")) }
    #expect(task.steps.contains { $0.call.contains("manifest test") })
  }

  @Test func `a Swift package has names that cannot meet`() throws {
    let task = try NewTask(name: "Bright Spots", language: .swift)
    let names = task.files.map(\.name)
    #expect(names.contains("Sources/BrightSpotsTasks/BrightSpots.swift"))
    let source = try #require(task.files.first { $0.name.hasSuffix("/BrightSpots.swift") }?.text)
    #expect(source.contains("struct BrightSpotsTask: RegionTask"))
    #expect(source.contains("BrightSpotsParameters(bound)"))
    #expect(throws: Fault.self) { try NewTask(name: "Omtask", language: .swift) }
  }

  @Test(arguments: ["", "1x", "../x", "a/b", "ä", "a_b"])
  func `names that no manifest may have are refused`(name: String) {
    #expect { _ = try NewTask(name: name, language: .python) } throws: {
      ($0 as? Fault)?.kind == .usage
    }
  }
}
