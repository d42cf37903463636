import OMImage
import OMJSON
import OMStore
import OMTables
import OMZarr

/// Checks the tables of an image: every one that can be read is read.
struct TableCheck {
  private let verifier: Verifier
  private let image: OMEImage

  init(_ verifier: Verifier, _ image: OMEImage) {
    self.verifier = verifier
    self.image = image
  }

  private var location: ImageLocation { image.location }
  private var folder: String { joinedKey(location.path, Shelf.tables.name) }

  /// The keys of the groups that were found, for comparing with copies of metadata.
  var nodes: [String] {
    let listed = (try? image.labelsList(.tables).names) ?? []
    let there = listed.map { joinedKey(folder, $0) }.filter {
      ((try? ZarrGroup.open(location.store, path: $0)) ?? nil) != nil
    }
    return there.isEmpty ? [] : [folder] + there
  }

  /// Checks the tables; everything found goes to the verifier.
  func run() {
    do throws(Fault) {
      let listed = try image.labelsList(.tables).names
      for name in listed { check(name) }
      let lost = try unlisted(besides: listed)
      if !lost.isEmpty { verifier.relist(lost, on: .tables, of: image) }
    } catch { verifier.log.problem(location.naming(error)) }
  }

  private func check(_ name: String) {
    let place = joinedKey(location.store.description, joinedKey(folder, name))
    do throws(Fault) {
      if try TableReader(location).read(name) == nil {
        // Readers go on without it, so it is told and no damage.
        verifier.log.remark(place, "is listed in `tables` and is not there")
      }
    } catch {
      if error.kind == .unsupported {
        return verifier.log.remark(place, "is not looked at: \(error.message)")
      }
      verifier.log.problem(error)
    }
  }

  /// Tables of ours that are complete and that nobody finds, because the list lacks them.
  private func unlisted(besides listed: [String]) throws(Fault) -> [String] {
    if !location.store.canList { return [] }
    var lost: [String] = []
    for name in try location.store.list(folder) where !listed.contains(name) {
      let group = (try? ZarrGroup.open(location.store, path: joinedKey(folder, name))) ?? nil
      guard group?.attributes["omtask"] != nil else { continue }
      if ((try? TableReader(location).read(name)) ?? nil) != nil { lost.append(name) }
    }
    // A run may have listed them since.
    let now = try image.labelsList(.tables).names
    return lost.filter { !now.contains($0) }
  }
}
