import OMGrid
import OMJSON
import OMManifest
import OMTaskTesting
import Testing

@testable import OMCommands

@Suite struct TrialAnswerTests {
  @Test(arguments: [
    (
      ["--input", "a b.zarr", "median", "--radius", "1"],
      "omtask manifest test median --radius 1 --input 'a b.zarr' --seed 7 --rounds 1"
    ),
    (
      ["median", "--input=it's.zarr", "--radius=0,1,1", "--rounds", "3"],
      "omtask manifest test median --radius=0,1,1 --input 'it'\\''s.zarr' --seed 7 --rounds 1"
    ),
  ])
  func `the call that repeats a round is one for a shell`(words: [String], again: String) throws {
    #expect(try read(words).again(seed: 7) == again)
  }

  @Test func `rounds and seed have defaults`() throws {
    let call = try read(["median", "--input", "x", "--radius", "1"])
    #expect(call.rounds == 20 && call.seed == 0)
    #expect(try read(["median", "--input", "x", "--seed", "9", "--rounds", "2"]).seed == 9)
  }

  @Test(arguments: [
    (["--input", "x"], "no task"), (["median"], "`--input` is missing"),
    (["median", "--input", "x", "--rounds", "0"], "`--rounds` is `0`, it must be 1 to 100000"),
    (["median", "--input", "x", "--seed", "x"], "`--seed` is `x`"),
    (["median", "y.zarr", "--input", "x"], "`y.zarr` is neither"),
    (["median", "--input", "x", "--raduis", "1"], "no parameter or flag `--raduis`"),
  ])
  func `wrong calls are explained`(words: [String], says: String) throws {
    let fault = try #require(throws: Fault.self) { try read(words) }
    #expect(fault.kind == .usage && fault.message.contains(says))
  }

  private func read(_ words: [String]) throws -> TrialCall {
    let context = CommandContext(
      catalogue: try realCatalogue(), environment: Environment([:]), output: MemorySink(),
      console: Console(MemorySink(), style: LogStyle()))
    let parsed = try OMTaskProgram.parse(["manifest", "test"] + words).get()
    return try TrialCall(try #require(parsed as? TestManifestCommand), context)
  }
}
