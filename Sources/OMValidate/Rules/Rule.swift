/// How strongly OME-Zarr demands something.
package enum RuleLevel: String, Sendable, CaseIterable {
  /// A MUST: without it the metadata are not valid.
  case must
  /// A SHOULD that readers feel: a warning.
  case should
  /// A SHOULD about descriptions, such as names: a note, because no reader goes wrong without it.
  case wish
  /// No rule of OME-Zarr: what could not be checked here.
  case info
}

/// In which versions a rule holds, and how strongly.
package struct RuleScope: Sendable {
  /// The versions.
  package let versions: ClosedRange<FormatVersion>
  /// How strongly.
  package let level: RuleLevel
  /// Whether the published JSON schemas see it too; for SHOULDs, the strict ones.
  package let isInSchema: Bool

  /// A MUST.
  static func must(
    _ versions: ClosedRange<FormatVersion> = .every, beyondSchema: Bool = false
  ) -> RuleScope {
    RuleScope(versions: versions, level: .must, isInSchema: !beyondSchema)
  }

  /// A SHOULD; most of them no schema knows.
  static func should(
    _ versions: ClosedRange<FormatVersion> = .every, inSchema: Bool = false
  ) -> RuleScope {
    RuleScope(versions: versions, level: .should, isInSchema: inSchema)
  }

  /// A SHOULD about descriptions.
  static func wish(
    _ versions: ClosedRange<FormatVersion> = .every, inSchema: Bool = false
  ) -> RuleScope {
    RuleScope(versions: versions, level: .wish, isInSchema: inSchema)
  }

  /// What could not be checked.
  static let info = RuleScope(versions: .every, level: .info, isInSchema: false)
}

extension ClosedRange where Bound == FormatVersion {
  /// All versions.
  static var every: Self { .v0_1 ... .collection }
  /// The versions stored as Zarr v2.
  static var zarrV2: Self { .v0_1 ... .v0_4 }
  /// The versions stored as Zarr v3.
  static var zarrV3: Self { .v0_5 ... .collection }
  /// The versions whose axes are objects beside the datasets.
  static var plainAxes: Self { .v0_4 ... .v0_5 }
  /// The versions whose axes are objects.
  static var axisObjects: Self { .v0_4 ... .collection }
  /// The versions with coordinate systems.
  static var systems: Self { .v0_6 ... .v0_9 }
  /// The nodes of RFC-8.
  static var nodes: Self { .collection ... .collection }
}

/// One demand of OME-Zarr, with a name that stays.
package struct Rule: Sendable {
  /// The name: `axes-order`.
  package let name: String
  /// What is demanded, in one sentence without a final stop.
  package let text: String
  /// What to do where it is broken.
  package let fix: String
  /// Where it holds; the first that fits a version counts.
  package let scopes: [RuleScope]

  init(_ name: String, _ text: String, fix: String, _ scopes: RuleScope...) {
    self.name = name
    self.text = text
    self.fix = fix
    self.scopes = scopes
  }

  /// How the rule holds for a version; nil when it does not.
  func scope(in version: FormatVersion) -> RuleScope? {
    scopes.first { $0.versions.contains(version) }
  }
}

extension Rule {
  /// All rules, part by part.
  package static let all: [(part: String, rules: [Rule])] = [
    ("Documents and versions", documentRules), ("Zarr groups and arrays", storeRules),
    ("Images", imageRules), ("Axes", axesRules), ("Orientation (RFC-4)", orientationRules),
    ("Scales and translations (0.4, 0.5)", transformationRules),
    ("Coordinate systems (0.6 and later)", systemRules),
    ("Kinds of transformations (0.6 and later)", kindRules), ("Scenes", sceneRules),
    ("omero", omeroRules), ("Label images", labelRules), ("Lists of labels", labelsListRules),
    ("Plates", plateRules), ("Wells", wellRules), ("bioformats2raw", seriesRules),
    ("Collections (RFC-8)", collectionRules), ("Archives (RFC-9)", archiveRules),
  ]
}
