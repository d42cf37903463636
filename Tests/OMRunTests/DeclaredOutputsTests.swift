import OMCodecs
import OMGrid
import OMJSON
import OMManifest
import OMStore
import OMTask
import OMTasks
import OMZarr
import Testing

@testable import OMRun

@Suite struct DeclaredOutputsTests {
  @Test func `what is made as declared is no remark`() throws {
    let report = try run("threshold", ["threshold": "100"]) { $0 }
    #expect(report.exitCode == 0)
    #expect(report.images[0].mismatches == [])
  }

  @Test(arguments: [
    (
      #""dtypes": ["uint8", "uint16", "uint32", "uint64"]"#, #""dtypes": ["uint64"]"#,
      ["the voxels of `segmented` are of type uint32, threshold declares uint64"]
    ),
    (
      #""kind": "label""#, #""kind": "image""#,
      [
        "`segmented` is of kind label, threshold declares image",
        "there is no image, threshold declares one",
      ]
    ),
  ])
  func `a task that makes something else has a bug`(
    declared: String, instead: String, says: [String]
  ) throws {
    let report = try run("threshold", ["threshold": "100"]) { text in
      let parts = text.split(separator: declared, maxSplits: 1, omittingEmptySubsequences: false)
      return parts.joined(separator: instead)
    }
    #expect(report.images[0].mismatches == says)
    #expect(report.images[0].status == .done)
    #expect(report.exitCode == 70)
  }

  /// Runs a task on a small image with another manifest.
  private func run(
    _ name: String, _ parameters: [String: String], _ change: (String) -> String
  ) throws -> RunReport {
    let folder = ImageFolder()
    try writeImage(folder.output())
    let entry = try #require(
      TaskCatalog.entries.first { $0.manifestText.contains("\"name\": \"Threshold\"") })
    let manifest = try Manifest(text: change(entry.manifestText), subject: "changed.json")
    let bound = try ParameterBinder(manifest).bind(
      commandLine: parameters.map { ($0.key, $0.value) })
    return try execute(
      RunRequest(
        entry: entry, manifest: manifest, parameters: bound, inputs: [folder.path],
        options: RunOptions()),
      communicator: SoloCommunicator(), observer: Deaf())
  }

  private func writeImage(_ root: OutputFolder) throws {
    let layout = try ArrayLayout(
      zarrFormat: 3, shape: [16, 16], dataType: .uint8, chunkShape: [16, 16], compression: .none)
    let scale: JSON = ["type": "scale", "scale": [1, 1]]
    let multiscale: JSON = [
      "axes": [["name": "y", "type": "space"], ["name": "x", "type": "space"]],
      "datasets": [["path": "0", "coordinateTransformations": [scale]]],
    ]
    let attributes: JSON = ["ome": ["version": "0.5", "multiscales": [multiscale]]]
    let group: JSON = ["zarr_format": 3, "node_type": "group", "attributes": attributes]
    try root.write("zarr.json", group.bytes())
    for (name, document) in layout.documents(attributes: [:]) {
      try root.write("0/\(name)", document.bytes())
    }
    try root.write("0/" + layout.unitKey([0, 0]), (0..<256).map { UInt8($0) })
  }
}

private struct Deaf: RunObserver {
  func handle(_ event: RunEvent) {}
}
