package import OMJSON
import OMStore

extension Validator {
  /// Judges an archive that cannot be opened.
  ///
  /// - Parameter fault: Why not.
  /// - Returns: A verdict with that as its only finding.
  package func refused(_ fault: Fault) -> Verdict {
    var verdict = Verdict(isStrict: options.isStrict)
    verdict.add(broken(fault, rule: .archiveReadable, file: fault.subject))
    return verdict
  }

  /// What RFC-9 wants otherwise of an archive.
  func findings(_ archive: ZipStore) -> Findings {
    var inspector = self.inspector(archive.root, .v0_5, .hierarchy)
    for remark in archive.remarks {
      inspector.report(rule(remark.subject), Spot(.null), remark.text, isMissing: true)
    }
    var (narrow, foreign) = (0, 0)
    for number in 0..<archive.count {
      do throws(Fault) {
        let header = try archive.looksOfHeader(number)
        narrow += header.isWide ? 0 : 1
        foreign += header.foreignExtras
      } catch {
        inspector.report(
          .archiveReadable, Spot(.null), "`\(archive.key(number))`: \(error.message)",
          isMissing: true)
      }
    }
    if narrow > 0 {
      inspector.report(
        .archiveZIP64, Spot(.null), "\(narrow) of \(archive.count) entries have none",
        isMissing: true)
    }
    if foreign > 0 {
      inspector.report(
        .archiveExtraFields, Spot(.null), "there are \(foreign) others in local headers",
        isMissing: true)
    }
    for root in archive.otherRoots {
      inspector.report(
        .archiveOneHierarchy, Spot(.null),
        "there is no `zarr.json` above that in `\(root)`, so it belongs to no group of the root",
        isMissing: true)
    }
    return inspector.findings
  }

  /// Compares the comment of an archive with the root of its hierarchy.
  func findings(_ archive: ZipStore, root written: String?) -> Findings {
    var inspector = self.inspector(archive.root, .v0_5, .hierarchy)
    if let version = archive.version, let written, version != written {
      inspector.report(
        .archiveVersion, Spot(.string(version)),
        "the comment says \"\(version)\", the root \"\(written)\"")
    }
    return inspector.findings
  }

  private func rule(_ subject: ZipRemark.Subject) -> Rule {
    switch subject {
    case .name: .archiveName
    case .comment: .archiveComment
    case .order: .archiveOrder
    case .compression: .archiveStored
    case .start: .archiveStart
    case .extraFields: .archiveExtraFields
    case .duplicates: .archiveNames
    }
  }
}
