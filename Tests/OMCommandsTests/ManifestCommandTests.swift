import OMJSON
import OMManifest
import Testing

@testable import OMCommands

@Suite struct ManifestCommandTests {
  private let folder = TemporaryFolder()

  @Test func `a good manifest gives one short line`() throws {
    let path = projectFolder + "/Manifests/threshold.json"
    let done = try call("manifest", "check", path)
    #expect(done.code == 0 && done.messages.isEmpty)
    #expect(done.text == "\(path): no mistakes\n")
    #expect(try call("manifest", "check", "--json", path).text == "[]\n")
  }

  @Test func `every mistake has its line, and the call says how many there are`() throws {
    let bad = try broken(
      "bad.json", [("\"tags\"", "\"tagss\""), ("\"minimum\": 0", "\"minimun\": 0")])
    let done = try call("manifest", "check", bad)
    #expect(done.code == 78)
    let lines = done.text.split(separator: "\n")
    #expect(lines.first == "\(bad):8:3: `tagss` is not known here (did you mean `tags`?) [omtask]")
    #expect(lines.count == 7)
    #expect(lines.dropFirst().allSatisfy { $0.contains("`minimun` is not known") })
    #expect(done.messages == ["omtask: error[manifest]: \(bad): 7 mistakes"])
  }

  @Test func `a program gets file, place, pointer, rule, message and fix`() throws {
    let bad = try broken("bad.json", [("\"tags\"", "\"tagss\"")])
    let done = try call("manifest", "check", "--json", bad)
    #expect(done.code == 78)
    let answer = try JSON(parsing: done.output, subject: "answer")
    #expect(
      answer == [
        [
          "file": .string(bad), "line": 8, "column": 3, "pointer": "/tagss", "severity": "error",
          "rule": "omtask", "message": "`tagss` is not known here",
          "fix": "did you mean `tags`?",
        ]
      ])
  }

  @Test func `a file that is not there stops no other`() throws {
    let bad = try broken("bad.json", [("\"tags\"", "\"tagss\"")])
    let done = try call("manifest", "check", "/no/such.json", bad)
    #expect(done.code == 66)
    #expect(done.text.contains("`tagss`"))
    #expect(done.messages == ["omtask: error[missing]: /no/such.json: there is no such file"])
  }

  @Test func `of several manifests the bad ones are counted`() throws {
    let (a, b) = (
      try broken("a.json", [("\"tags\"", "\"tagss\"")]), try broken("b.json", [("{", "")])
    )
    let done = try call("manifest", "check", a, b, projectFolder + "/Manifests/threshold.json")
    #expect(done.code == 78)
    #expect(done.messages == ["omtask: error[manifest]: 2 mistakes in 2 of 3 manifests"])
  }

  @Test func `a manifest that was exported has no mistakes`() throws {
    let done = try call("manifest", "export")
    #expect(done.code == 0 && done.messages.isEmpty)
    folder.write("all.json", done.output)
    let checked = try call("manifest", "check", "--json", folder.path + "/all.json")
    #expect(checked.text == "[]\n")
  }

  @Test func `a package is written into a new folder and over an old one`() throws {
    let path = folder.path + "/package"
    for _ in 0..<2 {
      let done = try call("manifest", "export", "--output", path)
      #expect(done.code == 0 && done.output.isEmpty)
      #expect(done.messages == ["omtask: \(path): 11 files for 8 tasks"])
    }
    let manifest = path + "/omtask_tasks/__FRACTAL_MANIFEST__.json"
    #expect(try call("manifest", "check", manifest).text == "\(manifest): no mistakes\n")
    #expect(try call("manifest", "export", "--output", path + "/no/such").code == 66)
  }

  @Test func `every flag of run and plan is taken as a name of a parameter`() throws {
    let program = try CommandDescription.ofProgram()
    let flags = ["run", "plan"].flatMap { program.subcommand($0)?.flags ?? [] }
    #expect(flags.count > 30)
    #expect(Set(flags).subtracting(Manifest.runFlags).isEmpty)
  }

  /// Writes the manifest of threshold with pieces replaced.
  private func broken(_ name: String, _ pieces: [(old: String, new: String)]) throws -> String {
    var text = String(
      decoding: try readFile(projectFolder + "/Manifests/threshold.json"), as: UTF8.self)
    for (old, new) in pieces {
      #expect(text.contains(old))
      text = text.replacing(old, with: new, maxReplacements: old == "{" ? 1 : .max)
    }
    folder.write(name, Array(text.utf8))
    return "\(folder.path)/\(name)"
  }
}
