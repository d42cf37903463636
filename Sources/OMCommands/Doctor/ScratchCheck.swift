import OMJSON
import OMStore

/// The folder for temporary files.
struct ScratchCheck {
  private let scratch: ScratchFolder

  /// Makes the check of a folder.
  init(_ scratch: ScratchFolder) { self.scratch = scratch }

  private var name: String { scratch.variable.map { "`$\($0)`, " } ?? "" }

  /// What is told when looking takes too long.
  var late: DoctorFinding { unusable("the file system gives no answer") }

  var findings: [DoctorFinding] {
    do throws(Fault) {
      _ = try FolderProbe(scratch.path)
    } catch { return [unusable(error.message)] }
    guard let system = FileSystem(of: scratch.path) else { return [unusable("it cannot be seen")] }
    let value: JSON = [
      "path": .string(scratch.path), "variable": scratch.variable.map { .string($0) } ?? .null,
      "file_system": .string(system.name), "free_bytes": JSON(system.freeBytes),
    ]
    let text = "\(name)\(scratch.path): \(system.name), \(byteText(system.freeBytes)) free"
    if system.reach == .shared {
      return [
        .note(
          "scratch.folder", value,
          "\(text); it is shared by machines, one of its own would be faster",
          do: "set TMPDIR to a folder on the disk of this machine")
      ]
    }
    return [.ok("scratch.folder", value, text)]
  }

  /// Runs need none, so it is no problem.
  private func unusable(_ reason: String) -> DoctorFinding {
    .warning(
      "scratch.folder",
      ["path": .string(scratch.path), "variable": scratch.variable.map { .string($0) } ?? .null],
      "\(name)\(scratch.path) cannot take the temporary files of `preview` and `manifest test`: \(reason)",
      do: "set TMPDIR to a folder that may be written")
  }
}
