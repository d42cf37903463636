import OMExternal
import OMJSON
import OMManifest
import OMTask

/// A task with its manifest, parsed.
typealias KnownTask = (entry: CatalogEntry, manifest: Manifest)

/// The tasks of this program, and those that are found in files.
///
/// A task is a file, or in one, when it is named by a path; otherwise it is built in, or lies in a folder
/// of `OMTASK_TASKS`. A name stands for one task only: what is built in is never hidden by a file.
struct TaskCatalogue: Sendable {
  private let entries: [CatalogEntry]
  private let environment: Environment

  /// The variable with the folders, separated by colons.
  static let variable = "OMTASK_TASKS"

  /// Makes the catalogue of these tasks and of the folders that the environment names.
  init(_ entries: [CatalogEntry], _ environment: Environment = Environment([:])) {
    self.entries = entries
    self.environment = environment
  }

  /// All built-in tasks with their manifests, parsed.
  ///
  /// - Throws: A fault of kind `manifest`; manifests that were built in have passed the same check.
  func tasks() throws(Fault) -> [KnownTask] {
    var tasks: [KnownTask] = []
    for entry in entries {
      tasks.append((entry, try Manifest(text: entry.manifestText, subject: "a built-in manifest")))
    }
    return tasks
  }

  /// All tasks, those of the folders too, and what is wrong with the others.
  func everything() throws(Fault) -> (tasks: [KnownTask], faults: [Fault]) {
    var (tasks, faults) = (try tasks(), [Fault]())
    for found in files() {
      do throws(Fault) {
        let task = try found.load(environment.all)
        let name = task.manifest.identifier
        if let other = tasks.first(where: { $0.manifest.identifier == name }) {
          throw twice(name, [place(other), found.place])
        }
        tasks.append(task)
      } catch {
        faults.append(error)
      }
    }
    return (tasks, faults)
  }

  /// The task of this name, or of this file.
  ///
  /// - Throws: A fault of kind `usage` that names the nearest task, or says that several tasks have
  ///   the name; `manifest` when the file is none.
  func task(_ name: String) throws(Fault) -> KnownTask {
    let builtIn = try tasks()
    if TaskFile.isPlace(name) {
      let task = try TaskFile(name).load(environment.all)
      let own = task.manifest.identifier
      // Who names a task in a package of others cannot mean ours, and cannot rename theirs.
      let isListed = task.entry.file?.hasSuffix("#\(own)") == true && task.manifest.isForeign
      if !isListed, builtIn.contains(where: { $0.manifest.identifier == own }) {
        throw twice(own, ["built in", name])
      }
      return task
    }
    let files = files().filter { $0.identifier == name }
    let known = builtIn.first { $0.manifest.identifier == name }
    let places = known.map { [place($0)] } ?? []
    if places.count + files.count > 1 { throw twice(name, places + files.map(\.place)) }
    if let known { return known }
    if let file = files.first { return try file.load(environment.all) }
    let names = builtIn.map(\.manifest.identifier) + self.files().map(\.identifier)
    let ending = names.count == 1 ? "lists the one there is" : "lists all \(names.count)"
    let nearest = nearestName(name, in: names).map { "did you mean `\($0)`? " } ?? ""
    throw Fault(
      .usage, "", "no task named `\(name)`", hint: "\(nearest)`omtask tasks` \(ending)")
  }

  private func files() -> [TaskFile] {
    TaskFile.all(inFolders: environment[Self.variable] ?? "")
  }

  private func place(_ task: KnownTask) -> String { task.entry.file ?? "built in" }

  private func twice(_ name: String, _ places: [String]) -> Fault {
    Fault(
      .usage, "", "`\(name)` names \(places.count) tasks: \(places.joined(separator: ", "))",
      hint: "give the `name` in one of the manifests another value; built-in tasks keep theirs")
  }
}
