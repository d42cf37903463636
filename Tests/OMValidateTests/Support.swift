import Foundation
import OMJSON
import OMStore

@testable import OMValidate

/// A store with these documents.
func store(_ documents: [String: String]) -> MemoryStore {
  MemoryStore(documents.mapValues { Array($0.utf8) })
}

/// The verdict over one document alone.
func verdict(_ text: String, strict: Bool = false) -> Verdict {
  var options = Validator.Options()
  options.isStrict = strict
  return Validator(options).validate(document: Array(text.utf8), name: "document")
}

extension Verdict {
  /// The rules that were broken with this severity, in their order.
  func rules(_ severity: Severity) -> [String] { findings.groups(severity).map(\.rule.name) }
}

/// The root of the package.
let packageRoot = URL(filePath: #filePath)
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

/// A 0.5 image of one level, as attributes.
let image = """
  {"ome": {"version": "0.5", "multiscales": [{"name": "a", "type": "mean", "metadata": {}, "axes": [
    {"name": "y", "type": "space", "unit": "micrometer"},
    {"name": "x", "type": "space", "unit": "micrometer"}],
    "datasets": [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1, 1]}]}]}]}}
  """
