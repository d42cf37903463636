import OMImage
import OMJSON
import OMStore
import Testing

@testable import OMRun

/// An image of one test, as far as its list of labels goes.
struct LabelsImage: Sendable {
  let folder = ImageFolder()

  let list = "labels/zarr.json"

  func group(_ attributes: String) -> String {
    #"{"zarr_format": 3, "node_type": "group", "attributes": \#(attributes)}"#
  }

  func listing(_ names: [String]) -> String {
    let list = JSON.array(names.map(JSON.string)).text()
    return group(#"{"ome": {"version": "0.5", "labels": \#(list)}}"#)
  }

  func register(
    _ names: [String], version: OMEVersion = .v0_5, patience: Double = 30,
    warn: @escaping @Sendable (String) -> Void = { _ in }
  ) throws -> LabelsRegister {
    let rules = LockRules(
      holder: .thisProcess(), patience: patience, check: { () throws(Fault) in }, warn: warn)
    return LabelsRegister(
      location: ImageLocation(store: try FileStore(root: folder.path), path: ""),
      version: version, names: names, isDurable: false, rules: rules)
  }

  /// Puts an empty label image there, of omtask or of another program.
  func putLabel(_ name: String, ours: Bool = true) {
    folder.put("labels/\(name)/zarr.json", group(ours ? #"{"omtask": {}}"# : "{}"))
  }

  func listed() throws -> [String] {
    let bytes = try folder.output().read(list, limit: 1 << 20)
    return try LabelsList.parse(bytes, subject: list, version: .v0_5).names
  }
}
