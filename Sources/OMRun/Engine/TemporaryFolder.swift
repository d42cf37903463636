import Glibc
import OMJSON
import OMStore

/// A folder of the system's for temporary files that is gone when the work is done.
package enum TemporaryFolder {
  /// Does something with a new folder and removes it with all that is in it.
  ///
  /// - Parameters:
  ///   - parent: Where temporary files go, mostly what `TMPDIR` says; nil and the empty text take
  ///     `/tmp`.
  ///   - purpose: A word for the name of the folder.
  ///   - stop: Ends the work before its time; the folder goes then too.
  ///   - work: Gets the path of the folder.
  /// - Returns: What `work` returns.
  /// - Throws: What `work` throws; a fault of kind `io` when no folder can be made or removed.
  package static func with<Value>(
    in parent: String?, for purpose: String, _ stop: StopSwitch, _ work: (String) throws -> Value
  ) throws -> Value {
    let parent = parent.flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
    var template = Array("\(parent)/omtask-\(purpose)-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw Fault(
        .io, parent, "no temporary folder can be made there (error \(errno))",
        hint: "`TMPDIR` names another place")
    }
    let path = template.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    let ending = stop.atForcedEnd { remove(path, in: parent) }
    defer {
      stop.forget(ending)
      remove(path, in: parent)
    }
    return try work(path)
  }

  private static func remove(_ path: String, in parent: String) {
    let name = String(path.dropFirst(parent.count + 1))
    // When the process is ended, other threads may still write or remove something in there.
    for _ in 0..<20 {
      do throws(Fault) {
        let folder = try OutputFolder(path: parent)
        if try folder.kind(of: name) == nil { return }
        try folder.removeTree(name)
        return
      } catch {
        usleep(5_000)
      }
    }
  }
}
