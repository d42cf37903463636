import OMImage
package import OMJSON
import OMStore

/// A hidden folder in which runs keep what is not finished: in an image, or beside an output.
package struct StageFolder: Sendable {
  /// The folder that holds it.
  let holder: OutputFolder
  /// Its name.
  let name: String

  /// Its whole path.
  package var path: String { joinedKey(holder.path, name) }

  /// Finds the hidden folders of a URI: of an image, of all images of a plate or well, and of an
  /// output that may not be there yet.
  ///
  /// - Parameter uri: A local path.
  /// - Returns: Those that exist, a link among them too.
  /// - Throws: What opening the URI gives, when it holds no image and there is no hidden folder.
  package static func find(_ uri: String) throws(Fault) -> [StageFolder] {
    var fault: Fault?
    var holders: [String] = []
    do throws(Fault) {
      let source = try ImageSource.open(uri, filter: WellFilter())
      holders = source.items.map(\.location.displayName)
      if source.kind != .image, let root = source.items.first?.location.store.description {
        holders.append(root)
      }
    } catch {
      fault = error
      let path = fileURLPath(uri) ?? uri
      if !path.contains("://") { holders = [path] }
    }
    var found = holders.compactMap { existing($0, ImageCommitter.folder) }
    // Derived images are staged beside the images they are made of, and wells have locks of their own.
    var parents: [String] = []
    for holder in holders {
      let parent = holder.lastIndex(of: "/").map { String(holder[..<$0]) } ?? "."
      if !parents.contains(parent) && !holders.contains(parent) { parents.append(parent) }
    }
    for parent in parents { found += beside(parent, holders) }
    if let output = try? SeparatePath(uri), let beside = existing(output.parent, output.stages),
      !found.contains(where: { $0.name == beside.name && $0.holder.path == beside.holder.path })
    {
      found.append(beside)
    }
    if found.isEmpty, let fault { throw fault }
    return found
  }

  /// The hidden folders in a folder of images: those of wells, and those of derived images whose names
  /// begin with that of an image.
  private static func beside(_ parent: String, _ images: [String]) -> [StageFolder] {
    guard let names = try? OutputFolder(path: parent.isEmpty ? "/" : parent).list() else {
      return []
    }
    let known = images.map { stem(lastPart($0)) + "_" }
    return names.sorted().compactMap { name in
      let isDerived =
        name.hasPrefix(".") && name.hasSuffix(ImageCommitter.folder) && name.count > 8
        && known.contains { name.dropFirst().hasPrefix($0) }
      // The locks of places in a new plate.
      let isPlace = images.contains { SeparatePath.stages(of: lastPart($0)) == name }
      return isDerived || isPlace || name == ImageCommitter.folder
        ? existing(parent, name) : nil
    }
  }

  private static func lastPart(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  /// The name of an image without its extension.
  private static func stem(_ name: String) -> String {
    for ending in [".ome.zarr", ".zarr"] where name.hasSuffix(ending) {
      return String(name.dropLast(ending.count))
    }
    return name
  }

  private static func existing(_ path: String, _ name: String) -> StageFolder? {
    guard let holder = try? OutputFolder(path: path), let kind = try? holder.kind(of: name),
      kind == .folder || kind == .link
    else { return nil }
    return StageFolder(holder: holder, name: name)
  }

  /// Opens the folder.
  ///
  /// - Throws: A fault of kind `path` when it is a link.
  func open() throws(Fault) -> OutputFolder { try holder.folder(name) }

  /// Whether a name is that of a stage: a run id.
  static func isRunID(_ name: String) -> Bool {
    name.utf8.count == 16
      && name.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  /// The unfinished runs in the folder, in the order of their ids; nothing is written.
  ///
  /// - Returns: The runs.
  /// - Throws: Kind `path` when the folder or a stage is a link, and what reading it gives.
  package func runs() throws(Fault) -> [StageSummary] {
    let stages = try open()
    var runs: [StageSummary] = []
    for name in try stages.list() where StageFolder.isRunID(name) {
      // A run may end, and its folder go, while it is looked at.
      do throws(Fault) {
        runs.append(try StageSummary.read(stages, name))
      } catch { if error.kind != .missing { throw error } }
    }
    return runs
  }
}
