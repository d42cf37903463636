import OMImage
import OMJSON
import OMStore

extension Checkpoint {
  /// Waits until all staged files of all ranks, and the folders they are in, are on the disk.
  ///
  /// A file that the disk could not take is noted as lost, so that the next invocation makes it again
  /// instead of trusting it. *Collective*.
  ///
  /// - Parameters:
  ///   - setup: The image.
  ///   - committer: Where the files are.
  ///   - engine: The ranks.
  /// - Throws: A fault of kind `io` when the disk could not take a file.
  func sync(_ setup: ImageSetup, _ committer: any Committer, _ engine: any Engine) throws {
    if committer.stage.durability == .none { return }
    engine.work.enter(SimulatedStage.sync)
    try engine.agree {
      let files = try units.filter { $0.size != nil }.map { try file($0.place, setup, committer) }
      // Durable files were waited for when they were staged, those of earlier invocations perhaps not.
      try engine.walk(files.count, name: { "staged file \(files[$0].key)" }) { index, _ in
        let file = files[index]
        do {
          try committer.stage.below("\(file.label)/\(file.level)").sync(file.key)
        } catch {
          lose(file.place)
          throw error
        }
      }
      let folders = Set(files.flatMap(\.folders))
      for folder in folders.sorted(by: { $0.key.count > $1.key.count }) {
        try committer.stage.sync(folder: folder.key, label: folder.label, level: folder.level)
      }
    }
  }

  private struct Folder: Hashable {
    let label: String
    let level: String
    let key: String
  }

  private struct File {
    let place: UnitPlace
    let label: String
    let level: String
    let key: String

    /// The folders between the level and the file, the level itself last.
    var folders: [Folder] {
      var parts = key.split(separator: "/")
      var folders: [Folder] = []
      while !parts.isEmpty {
        parts.removeLast()
        folders.append(Folder(label: label, level: level, key: parts.joined(separator: "/")))
      }
      return folders
    }
  }

  private func file(
    _ place: UnitPlace, _ setup: ImageSetup, _ committer: any Committer
  ) throws(Fault) -> File {
    guard let key = try setup.key(of: place) else {
      throw Fault(.internal, "", "a write unit is not in the layout")
    }
    let (image, first) = setup.place(place.plan)
    return File(
      place: place, label: committer.place(image),
      level: LabelDocuments.levelPath(first + place.level), key: key)
  }
}
