import OMJSON
import OMStore
import Testing

@Suite struct KeyRulesTests {
  @Test(arguments: ["0", "labels/nuclei/0", "A/1/0", "a b", ".hidden", "é", "a..b", "...", "t/0:1"])
  func `a path that leads down is taken as it is`(path: String) throws {
    #expect(try checkedKey(path, subject: "zarr.json") == path)
  }

  @Test(arguments: [
    ("", "the path `` is empty"),
    ("../secret.zarr/0", "has a part `..`"),
    ("a/../../b", "has a part `..`"),
    ("a/..", "has a part `..`"),
    ("./a", "has a part `.`"),
    ("/etc/passwd", "begins with `/`"),
    ("a//b", "has an empty part"),
    ("a/", "has an empty part"),
    ("..\\a", "has a backslash"),
    ("a\0b", "the path `a\\0b` has a control character"),
    ("a\nb", "the path `a\\nb` has a control character"),
    ("a\u{7f}", "has a control character"),
    ("s3:bucket/key", "begins like a URL"),
    ("C:x", "begins like a URL"),
    (String(repeating: "x", count: 256), "has a part of 256 bytes, the limit is 255"),
  ])
  func `a path that could lead elsewhere is refused with its rule`(path: String, rule: String) {
    expectFault(.path, "zarr.json", rule) {
      () throws(Fault) in try checkedKey(path, subject: "zarr.json")
    }
  }

  @Test func `a name of 255 bytes is allowed`() throws {
    let name = String(repeating: "x", count: 255)
    #expect(try checkedKey(name, subject: "zarr.json") == name)
  }
}
