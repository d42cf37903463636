import OMImage
import OMJSON
import Testing

@Suite struct LabelNameTests {
  @Test(arguments: [
    ("DAPI", 0, "DAPI_segmented"), (nil, 2, "channel_2_segmented"), (nil, nil, "segmented"),
    ("Cy5/GFP", 0, "Cy5_GFP_segmented"), ("..", 1, "channel_1_segmented"),
    ("__x", 0, "x_segmented"), ("a b", 0, "a b_segmented"),
  ])
  func `the standard name comes from the channel and can be a folder`(
    channel: String?, index: Int?, name: String
  ) throws {
    #expect(LabelName.standard(channel: channel, index: index) == name)
    try LabelName.check(name, besides: [])
  }

  @Test(arguments: [
    "", ".", "..", ".hidden", "__x", "a/b", "../x", "zarr.json", "labels", "Labels", ".zattrs",
    "a\\b", "a\nb", "a\0b", "C:x", String(repeating: "n", count: 256),
  ])
  func `a name that is no plain folder name is refused`(name: String) throws {
    let fault = try #require(throws: Fault.self) { try LabelName.check(name, besides: []) }
    #expect(fault.kind == .path)
  }

  @Test func `a name that differs from another only in case is refused`() throws {
    try LabelName.check("nuclei", besides: ["nuclei", "cells"])
    let fault = try #require(throws: Fault.self) {
      try LabelName.check("nuclei", besides: ["Nuclei"])
    }
    #expect(fault.kind == .usage && fault.message.contains("`Nuclei`"))
  }
}
