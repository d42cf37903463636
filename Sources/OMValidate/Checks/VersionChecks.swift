import OMJSON

extension Inspector {
  /// Checks the version inside a member of a document.
  ///
  /// - Parameters:
  ///   - holder: The object that may have `version`.
  ///   - rule: The rule that wants one there.
  mutating func innerVersion(_ holder: Spot, _ rule: Rule) {
    guard let spot = holder["version"] else { return expect("version", in: holder, rule) }
    guard let text = spot.value.stringValue else {
      return report(.versionText, spot, "`version` is \(spot.value.excerpt), expected a string")
    }
    guard let known = WrittenVersion(text).version else {
      return report(.versionKnown, spot, "`version` is \"\(text)\", which was never published")
    }
    if known != version {
      report(
        .versionInner, spot, "`version` is \"\(text)\", the document follows \(version.rawValue)")
    }
  }

  /// Notes a version where only `ome` has one.
  mutating func noInnerVersion(_ holder: Spot) {
    guard let spot = holder["version"] else { return }
    report(.versionInnerAbsent, spot, "`version` is \(spot.value.excerpt), expected none here")
  }

  /// Checks the version of the document itself.
  mutating func documentVersion(_ metadata: OMEMetadata) {
    guard let spot = metadata.versionSpot else {
      if metadata.zarrFormat == 3, !metadata.isMisplaced {
        report(
          metadata.isLabelsList ? .labelsVersion : .omeVersion, metadata.keys,
          "`version` is missing, read as \(version.rawValue)", isMissing: true)
      }
      return
    }
    guard let text = spot.value.stringValue else {
      return report(.versionText, spot, "`version` is \(spot.value.excerpt), expected a string")
    }
    let written = WrittenVersion(text)
    guard let known = written.version else {
      return report(.versionKnown, spot, "`version` is \"\(text)\", which was never published")
    }
    if written.isDraft {
      report(.versionDraft, spot, "`version` is \"\(text)\", a draft of \(known.rawValue)")
    }
    if let format = metadata.zarrFormat, known.zarrFormat != format {
      report(
        .versionFormat, spot,
        "OME-Zarr \(text) is stored as Zarr v\(known.zarrFormat), this is Zarr v\(format)")
    }
  }
}
