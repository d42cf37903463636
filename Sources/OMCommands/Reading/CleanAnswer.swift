import OMJSON
import OMRun

/// What `omtask clean` tells.
struct CleanAnswer: Answer {
  let uri: String
  let cleaning: Cleaning

  private var bytes: Int { cleaning.removed.reduce(0) { $0 + $1.bytes } }

  var lines: [String] {
    let removed = cleaning.removed
    let title =
      removed.isEmpty
      ? "nothing was removed" : "removed \(counted(removed.count, "leftover")), \(byteText(bytes))"
    return ["\(uri): \(title)"]
      + removed.map { "  removed   \($0.path), \(byteText($0.bytes))" }
      + cleaning.restored.map { "  put back  \($0)" }
      + cleaning.kept.map { "  kept      \($0.path): \($0.reason)" }
  }

  var json: JSON {
    [
      "uri": .string(uri), "removed_bytes": JSON(bytes),
      "removed": .array(
        cleaning.removed.map { ["path": .string($0.path), "bytes": JSON($0.bytes)] }),
      "put_back": .array(cleaning.restored.map { .string($0) }),
      "kept": .array(
        cleaning.kept.map { ["path": .string($0.path), "reason": .string($0.reason)] }),
    ]
  }
}
