import OMJSON
import OMManifest
import OMTask

/// The tasks of this program with their manifests.
struct TaskCatalogue: Sendable {
  private let entries: [CatalogEntry]

  /// Makes the catalogue of these tasks.
  init(_ entries: [CatalogEntry]) { self.entries = entries }

  /// All tasks with their manifests, parsed.
  ///
  /// - Throws: A fault of kind `manifest`; manifests that were built in have passed the same check.
  func tasks() throws(Fault) -> [(entry: CatalogEntry, manifest: Manifest)] {
    var tasks: [(entry: CatalogEntry, manifest: Manifest)] = []
    for entry in entries {
      tasks.append((entry, try Manifest(text: entry.manifestText, subject: "a built-in manifest")))
    }
    return tasks
  }

  /// The task of this name.
  ///
  /// - Throws: A fault of kind `usage` that names the nearest task.
  func task(_ name: String) throws(Fault) -> (entry: CatalogEntry, manifest: Manifest) {
    let tasks = try tasks()
    if let task = tasks.first(where: { $0.manifest.identifier == name }) { return task }
    let names = tasks.map(\.manifest.identifier)
    let ending = names.count == 1 ? "lists the one there is" : "lists all \(names.count)"
    let nearest = nearestName(name, in: names).map { "did you mean `\($0)`? " } ?? ""
    throw Fault(
      .usage, "", "no task named `\(name)`", hint: "\(nearest)`omtask tasks` \(ending)")
  }
}
