import OMGrid
import OMImage
import OMJSON
import OMStore
import OMZarr

/// Checks one image: its levels, its label images, its tables and what runs left in it.
struct ImageCheck {
  /// The keys of the nodes that were found sound, for comparing with copies of metadata.
  private(set) var nodes: [String] = []
  private let verifier: Verifier
  private let location: ImageLocation
  private let isLabel: Bool

  init(_ verifier: Verifier, _ location: ImageLocation, isLabel: Bool = false) {
    self.verifier = verifier
    self.location = location
    self.isLabel = isLabel
  }

  /// Checks the image; everything found goes to the verifier.
  mutating func run() {
    verifier.log.note { $0.images += 1 }
    let image: OMEImage
    do throws(Fault) {
      image = try OMEImage.open(location, axes: .any)
    } catch { return verifier.log.problem(error) }
    nodes.append(location.path)
    for warning in image.warnings { verifier.log.remark(location.displayName, warning) }
    checkLevels(image)
    if isLabel { return }
    checkLabels(image)
    let tables = TableCheck(verifier, image)
    tables.run()
    nodes += tables.nodes
    var leftovers = LeftoverCheck(verifier, image)
    leftovers.run()
  }

  /// Reads all levels; one that cannot be opened does not keep the others from being read.
  private mutating func checkLevels(_ image: OMEImage) {
    var finer: (level: Level, metadata: ArrayMetadata)?
    for (number, level) in image.levels.enumerated() {
      let array: ZarrArray
      do throws(Fault) {
        array = try image.array(number)
      } catch {
        verifier.log.problem(error)
        continue
      }
      nodes.append(array.path)
      if let finer,
        let fault = image.misfit(level, array.metadata.shape, behind: finer.metadata.shape)
      {
        verifier.log.problem(fault)
      }
      if let finer, finer.metadata.dataType != array.metadata.dataType {
        verifier.log.remark(
          image.location.displayName,
          "level `\(level.path)` has type \(array.metadata.dataType.rawValue), "
            + "level `\(finer.level.path)` has \(finer.metadata.dataType.rawValue)")
      }
      finer = (level, array.metadata)
      verifier.gather(array)
    }
  }
}

// MARK: - Label images

extension ImageCheck {
  private mutating func checkLabels(_ image: OMEImage) {
    let list: LabelsList
    do throws(Fault) {
      list = try image.labelsList()
    } catch { return verifier.log.problem(error) }
    let folder = joinedKey(location.path, "labels")
    var seen: Set<String> = []
    for name in list.names {
      if seen.insert(name).inserted {
        checkListed(name, joinedKey(folder, name))
      } else {
        verifier.log.remark(
          joinedKey(location.store.description, folder), "`\(name)` is listed twice")
      }
    }
    if !list.names.isEmpty { nodes.append(folder) }
    checkUnlisted(image, folder, seen)
  }

  private mutating func checkListed(_ name: String, _ path: String) {
    let label = ImageLocation(store: location.store, path: path)
    do throws(Fault) {
      // Readers go on without it, so it is told and no damage.
      if try !isThere(path) {
        return verifier.log.remark(label.displayName, "is listed in `labels` and is not there")
      }
    } catch { return verifier.log.problem(location.naming(error)) }
    var check = ImageCheck(verifier, label, isLabel: true)
    check.run()
    nodes += check.nodes
  }

  /// Whether there is anything of this name.
  private func isThere(_ path: String) throws(Fault) -> Bool {
    if location.store.canList { return try !location.store.list(path).isEmpty }
    return try ZarrGroup.open(location.store, path: path) != nil
  }

  /// Looks for label images that are complete and that nobody finds, because the list lacks them.
  private mutating func checkUnlisted(_ image: OMEImage, _ folder: String, _ listed: Set<String>) {
    if !location.store.canList { return }
    let names: [String]
    do throws(Fault) {
      names = try location.store.list(folder)
    } catch { return verifier.log.problem(location.naming(error)) }
    let parents = Set(listed.map { String($0.prefix { $0 != "/" }) })
    let documents: Set<String> = ["zarr.json", ".zgroup", ".zattrs", ".zmetadata"]
    var lost: [String] = []
    for name in names where !parents.contains(name) && !documents.contains(name) {
      let label = ImageLocation(store: location.store, path: joinedKey(folder, name))
      guard let found = try? OMEImage.open(label, axes: .any), (try? found.arrays()) != nil else {
        verifier.log.remark(label.displayName, "is not listed in `labels` and no label image")
        continue
      }
      lost.append(name)
      var check = ImageCheck(verifier, label, isLabel: true)
      check.run()
    }
    // A run may have listed them since.
    let now = (try? image.labelsList().names) ?? []
    lost.removeAll { now.contains($0) }
    if !lost.isEmpty { verifier.relist(lost, on: .labels, of: image) }
  }
}

extension Verifier {
  /// How to repair something.
  func repairHint(_ location: ImageLocation, _ what: String) -> String {
    let call = "`omtask verify \(location.displayName) --repair` \(what)"
    if location.store.isRemote { return "copy it to a local disk, then \(call) for the copy" }
    return location.store.folder != nil
      ? call : "`omtask unpack` it, `omtask verify FOLDER --repair` \(what), then `omtask pack`"
  }

  /// Lists results that are complete and that the list lacks, or tells of them.
  func relist(_ names: [String], on shelf: Shelf, of image: OMEImage) {
    let place = "\(image.location.displayName)/\(shelf.name)"
    let verifier = self
    if verifier.options.repairs {
      do throws(Fault) {
        let log = verifier.log
        let rules = LockRules(
          holder: .thisProcess(), patience: 60, check: { () throws(Fault) in },
          warn: { log.remark(place, $0) })
        try LabelsRegister(
          shelf: shelf, location: image.location, version: image.version, names: names,
          isDurable: true,
          rules: rules
        ).relist()
        return verifier.log.repaired(
          "\(place) lists \(names.map { "`\($0)`" }.joined(separator: ", ")) again")
      } catch { verifier.log.problem(error) }
    }
    for name in names {
      verifier.log.problem(
        Fault(
          .metadata, place, "the list lacks the complete \(shelf.noun) `\(name)`",
          hint: repairHint(image.location, "lists it again")))
    }
  }
}
