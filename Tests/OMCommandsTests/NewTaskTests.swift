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
    #expect(task.files.last?.name == "\(task.identifier).json")
  }

  @Test(arguments: ["", "1x", "../x", "a/b", "ä", "a_b"])
  func `names that no manifest may have are refused`(name: String) {
    #expect { _ = try NewTask(name: name, language: .python) } throws: {
      ($0 as? Fault)?.kind == .usage
    }
  }
}
