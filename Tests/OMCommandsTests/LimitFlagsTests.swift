import OMJSON
import Testing

@testable import OMCommands

/// Nothing here calls the program: limits hold for the whole process, and so for other tests.
@Suite struct LimitFlagsTests {
  @Test(arguments: Limits.Name.allCases)
  func `every limit can be set and is in the help`(name: Limits.Name) throws {
    var limits = Limits()
    try limits.set("\(name.rawValue)=64")
    #expect(limits != Limits() || name == .jsonDepth)
    let help = try #require(
      try CommandDescription.ofProgram().subcommand("run")?.arguments.first { $0.flag == "limit" })
    #expect(help.text.contains("`\(name.rawValue)`"))
  }

  @Test func `sizes have units`() throws {
    var limits = Limits()
    for text in ["metadata=32M", "chunk=4GiB", "encoded-chunk=2.5", "files=5"] {
      try limits.set(text)
    }
    #expect((limits.metadata, limits.chunk) == (32 << 20, 4 << 30))
    #expect((limits.encodedChunk, limits.files) == (2.5, 5))
  }

  @Test(arguments: [
    ("chunks=4G", "`chunk`"), ("json_depth=70", "`json-depth`"), ("metdata=1M", "`metadata`"),
    ("whatever=1", "metadata, axes"),
  ])
  func `an unknown name suggests the nearest`(text: String, suggestion: String) {
    var limits = Limits()
    do throws(Fault) {
      try limits.set(text)
      Issue.record("\(text) was taken")
    } catch { #expect(error.kind == .usage && error.hint?.contains(suggestion) == true) }
  }

  @Test(arguments: [
    "chunk", "chunk=", "chunk=-1", "chunk=many", "json-depth=5000", "json-depth=1.5", "axes=0",
    "encoded-chunk=0.5", "encoded-chunk=nan", "files=0", "metadata=1", "zstd-window=0", "=1",
  ])
  func `values out of range are refused`(text: String) {
    var limits = Limits()
    #expect(throws: Fault.self) { try limits.set(text) }
    #expect(limits == Limits())
  }
}
