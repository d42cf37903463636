import OMJSON

/// What a validation found out.
package struct Verdict: Sendable {
  /// Whether SHOULDs counted like MUSTs.
  package let isStrict: Bool
  /// What the root is: `image`, `plate`, `array`; nil when it could not be told.
  package var kind: String?
  /// The version that the root follows.
  package var version: FormatVersion?
  /// The version as the root writes it.
  package var writtenVersion: String?
  /// Documents that were read.
  package var documents = 0
  /// Images, without label images.
  package var images = 0
  /// Label images.
  package var labels = 0
  /// Arrays.
  package var arrays = 0
  /// Wells.
  package var wells = 0
  /// The keys of images and label images.
  private(set) var judged: Set<String> = []
  /// What was found.
  package private(set) var findings = Findings()

  init(isStrict: Bool) { self.isStrict = isStrict }

  /// Whether no rule that counts is broken.
  package var isValid: Bool { findings.count(.error) == 0 }

  mutating func add(_ others: Findings) { findings.add(others) }

  /// Notes that an image or a label image is judged.
  mutating func judges(_ key: String) { judged.insert(key) }

  /// Adds what another part found.
  mutating func add(_ other: Verdict) {
    documents += other.documents
    images += other.images
    labels += other.labels
    arrays += other.arrays
    wells += other.wells
    judged.formUnion(other.judged)
    findings.add(other.findings)
  }

  /// Counts a document, and takes over what the root is.
  mutating func note(_ facts: DocumentFacts, isRoot: Bool = false) {
    if facts.metadata.keys["well"] != nil { wells += 1 }
    if !facts.images.isEmpty {
      if facts.metadata.keys["image-label"] != nil { labels += 1 } else { images += 1 }
    }
    guard isRoot, facts.metadata.holdsAnything else { return }
    kind = facts.kind
    version = facts.metadata.version
    writtenVersion = facts.collection?.version ?? facts.metadata.writtenVersion
  }
}
