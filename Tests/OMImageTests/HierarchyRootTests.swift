import Foundation
import OMImage
import OMJSON
import Testing

@Suite struct HierarchyRootTests {
  /// A folder with these documents; it is removed when `body` is done.
  private func withFolder(
    _ documents: [String: String], _ body: (String) throws -> Void
  ) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    for (key, text) in documents {
      let file = folder.appending(path: key)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    try body(folder.path(percentEncoded: false))
  }

  private func open(_ uri: String) throws(Fault) -> ImageSource {
    try ImageSource.open(uri, filter: try WellFilter())
  }

  @Test func `an image of a plate is opened as part of the plate`() throws {
    let row = ["p.zarr/B/zarr.json": Examples.group05("{}")]
    try withFolder(Examples.below("p.zarr", Examples.plate05()) + row) { folder in
      let location = try #require(try open("\(folder)/p.zarr/B/03/0/").items.first).location
      #expect(location.path == "B/03/0")
      #expect(location.displayName.hasSuffix("/p.zarr/B/03/0"))
      #expect(location.name == "0")
    }
  }

  @Test func `an image by itself is its own root, by path and by file URL`() throws {
    try withFolder(Examples.image04("a.zarr")) { folder in
      for uri in ["\(folder)/a.zarr", "file://\(folder)/a.zarr"] {
        let location = try #require(try open(uri).items.first).location
        #expect(location.path == "" && location.name == "a.zarr")
      }
    }
  }

  @Test(arguments: [
    ("absent.zarr", FaultKind.missing), ("notes.zip", .zip), ("notes.ozx", .zip),
  ])
  func `what cannot be opened says why`(name: String, kind: FaultKind) throws {
    try withFolder(["notes.zip": "x", "notes.ozx": "x"]) { folder in
      let fault = try #require(throws: Fault.self) { try open("\(folder)/\(name)") }
      #expect(fault.kind == kind && fault.subject.hasSuffix(name), "\(fault)")
    }
  }

  @Test(arguments: ["ftp://example.org/a.zarr", "gs://bucket/a.zarr"])
  func `images of unknown schemes are unsupported`(uri: String) throws {
    let fault = try #require(throws: Fault.self) { try open(uri) }
    #expect(fault.kind == .unsupported && fault.subject == uri)
  }
}
